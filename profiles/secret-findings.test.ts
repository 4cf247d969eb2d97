import { expect, it } from "vitest";
import { findingsOf } from "../model/findings.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { LEAST_FILES, withValue } from "./test-files.ts";

const SUPPORT = {
  ...{ access: "granted", to: "trustkern", from: "2027-03-01T08:00:00Z", until: "2027-03-03T08:00:00Z" },
  reason: "the broker loses sessions",
};
const GITHUB = `ghp_${"a1".repeat(18)}`;

function refused(path: string, value: unknown): readonly string[] {
  try {
    parseDeploymentYaml(JSON.stringify(withValue(LEAST_FILES["customer-tenant"], path, value)), "f");
  } catch (thrown) {
    const text = JSON.stringify([String(thrown), findingsOf(thrown)]);
    for (const secret of [GITHUB, "Hunter2", "AKIA"]) expect(text).not.toContain(secret);
    return findingsOf(thrown).map(({ code, path: at }) => `${code} ${at}`);
  }
  return [];
}

it.each<[string, string, unknown, string]>([
  ["a password in a reason", "support", { ...SUPPORT, reason: "the password is Hunter2" }, "support.reason"],
  ["a token in a reason", "support", { ...SUPPORT, reason: `log in with ${GITHUB}` }, "support.reason"],
  [
    "what is too random for a word",
    "support",
    { ...SUPPORT, reason: "Zm9vYmFyMTIzNDU2Nzg5MHF3ZXJ0" },
    "support.reason",
  ],
  [
    "an access key in a grant",
    "custody.grants",
    [{ to: `AKIA${"A1".repeat(8)}`, operator: "customer" }],
    "custody.grants.0.to",
  ],
  ["a token in an account", "hosting.account", GITHUB, "hosting.account"],
])("refuses %s, and does not show it", (_, path, value, at) => {
  expect(refused(path, value)).toContain(`CONFIG_SECRET ${at}`);
});

it("takes a reason in plain words, and ids where ids belong", () => {
  expect(refused("support", SUPPORT)).toEqual([]);
});
