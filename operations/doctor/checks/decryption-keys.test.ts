import { expect, it } from "vitest";
import type { Deployment } from "../../../model/deployment.ts";
import { defaultDeployment, resolveDeployment } from "../../../profiles/resolve.ts";
import { judgeDecryptionKeys } from "./decryption-keys.ts";

const TOKEN = { kind: "pkcs11", module: "/m.so", token: "t", pinFile: "/etc/pin" } as const;
const holders = ["a", "b"].map((name) => ({ name, operator: "customer" as const }));
const of = (custody: NonNullable<Parameters<typeof resolveDeployment>[0]["custody"]>): Deployment =>
  resolveDeployment({ name: "demo", tenant: "acme", profile: "air-gapped", custody });
const codes = (deployment: Deployment) =>
  judgeDecryptionKeys(deployment, []).map(({ level, code = "" }) => `${level} ${code}`.trim());

it("has nothing to say of a token with an escrow, and of a development deployment", () => {
  expect(codes(of({ ...TOKEN, escrow: { threshold: 2, holders } }))).toEqual(["ok"]);
  expect(codes(defaultDeployment())).toEqual(["ok"]);
});

it("warns of software that was accepted, with the reason", () => {
  const accepted = of({
    kind: "file",
    class: "software",
    acceptSoftware: "a pilot",
    escrow: { threshold: 2, holders },
  });
  expect(codes(accepted)).toEqual(["warning DOCTOR_KEYS_IN_SOFTWARE"]);
  expect(judgeDecryptionKeys(accepted, [])[0]?.message).toContain("(file); the reason that is given: a pilot");
});

it("has a problem with each thing that keeps the container from them, and no less in a development deployment", () => {
  const missing = { code: "HOST_KEYS_UNREACHABLE", path: "custody.pinFile", message: "it is empty", fix: "fill it" };
  const problem = { check: "decryption keys", level: "problem", code: missing.code, message: "it is empty" };
  for (const deployment of [of(TOKEN), defaultDeployment()]) {
    expect(judgeDecryptionKeys(deployment, [missing, missing])).toMatchObject([problem, problem]);
  }
});

it("warns of keys that nobody could restore", () => {
  expect(codes(of(TOKEN))).toEqual(["warning DOCTOR_KEYS_NOT_IN_ESCROW"]);
  expect(codes(of({ kind: "file", class: "software", acceptSoftware: "a pilot" }))).toHaveLength(2);
});
