import { describe, expect, it } from "vitest";
import { findingsOf } from "../model/findings.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { LEAST_FILES, withValue } from "./test-files.ts";

const GRANT = {
  ...{ access: "granted", to: "trustkern", from: "2027-03-01T08:00:00Z", until: "2027-03-03T08:00:00Z" },
  reason: "the broker loses sessions",
};
const fileOf = (support: object) => JSON.stringify(withValue(LEAST_FILES["customer-tenant"], "support", support));
const wrong = (support: object): readonly string[] => {
  try {
    parseDeploymentYaml(fileOf(support), "f");
  } catch (thrown) {
    return findingsOf(thrown).map(({ code, path }) => `${code} ${path}`);
  }
  return [];
};

describe("support access", () => {
  it("is off where nobody says more, and for whom, how long and why where it is granted", () => {
    expect(parseDeploymentYaml(JSON.stringify(LEAST_FILES["customer-tenant"]), "f").support).toEqual({ access: "off" });
    expect(parseDeploymentYaml(fileOf(GRANT), "f").support).toEqual(GRANT);
  });

  it.each([
    [
      "granted without its terms",
      { access: "granted" },
      ["from", "reason", "to", "until"].map((m) => `CONFIG_SUPPORT support.${m}`),
    ],
    ["granted without a reason", { ...GRANT, reason: undefined }, ["CONFIG_SUPPORT support.reason"]],
    ["off, with an end", { access: "off", until: GRANT.until }, ["CONFIG_SUPPORT support.until"]],
    ["silent, with a guest", { to: "partner" }, ["CONFIG_SUPPORT support.to"]],
    ["ended before it begins", { ...GRANT, until: "2027-03-01T07:59:59Z" }, ["CONFIG_SUPPORT support.until"]],
    ["ended when it begins", { ...GRANT, until: GRANT.from }, ["CONFIG_SUPPORT support.until"]],
    ["longer than a week", { ...GRANT, until: "2027-03-08T08:00:01Z" }, ["CONFIG_PROFILE support.until"]],
    ["granted to the customer", { ...GRANT, to: "customer" }, ["CONFIG_VALUE support.to"]],
    ["in another time zone", { ...GRANT, from: "2027-03-01T08:00:00+01:00" }, ["CONFIG_VALUE support.from"]],
    ["on a day", { ...GRANT, until: "2027-03-02" }, ["CONFIG_VALUE support.until"]],
    ["for a word", { ...GRANT, reason: "help" }, ["CONFIG_VALUE support.reason"]],
    ["for two lines", { ...GRANT, reason: "the broker loses\nsessions" }, ["CONFIG_VALUE support.reason"]],
  ])("is refused: %s", (_, support, findings) => {
    expect([...wrong(support)].sort()).toEqual(findings);
  });
});
