import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fillDeviceSecrets } from "./step-ca-device.ts";

const PIN = "canary-4711";
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-device-"));
  mkdirSync(join(dir, "authorities"));
  writeFileSync(join(dir, "pin"), `${PIN}\n`);
  writeFileSync(join(dir, "gateways.2.tss2.pem"), "TSS2");
});
afterEach(() => rmSync(dir, { recursive: true }));

function place(key: object): void {
  writeFileSync(join(dir, "authorities", "gateways.key.json"), JSON.stringify(key));
}
const token = () => ({
  kind: "pkcs11",
  module: "/m.so",
  token: "t",
  pinFile: join(dir, "pin"),
  label: "demo-gateways",
});
const fill = (): void =>
  fillDeviceSecrets({
    authoritiesDir: join(dir, "authorities"),
    leafClass: "gateways",
    secretFile: (secret) => join(dir, "secrets", "gateways-ca", secret),
  });
const stored = (): Readonly<Record<string, string>> => {
  const folder = join(dir, "secrets", "gateways-ca");
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
};

describe("fillDeviceSecrets", () => {
  it("puts the PIN there for its owner alone, and anew when it has changed", () => {
    place(token());
    fill();
    expect(stored()).toEqual({ "token.pin": PIN });
    expect(statSync(join(dir, "secrets/gateways-ca/token.pin")).mode & 0o777).toBe(0o600);
    writeFileSync(join(dir, "pin"), "another");
    fill();
    expect(stored()).toEqual({ "token.pin": "another" });
  });

  it("puts the TPM's file there by one name, whatever it is called after a rotation", () => {
    place({ kind: "tpm2", device: "/dev/tpmrm0", file: join(dir, "gateways.2.tss2.pem") });
    fill();
    expect(stored()).toEqual({ "gateways.tss2.pem": "TSS2" });
  });

  it("puts nothing there for a key in a file, or in a KMS", () => {
    fill();
    place({ kind: "aws-kms", region: "eu-central-1", keyId: "k" });
    fill();
    expect(readdirSync(dir)).not.toContain("secrets");
  });

  it.each([
    ["PIN", () => ({ ...token(), pinFile: join(dir, "gone") }), "SIGNER_SECRET_UNREADABLE"],
    ["key file", () => ({ kind: "tpm2", device: "/dev/tpmrm0", file: join(dir, "gone") }), "SIGNER_KEY_MISSING"],
    ["place", () => ({ kind: "hsm" }), "STATE_CORRUPT"],
  ])("refuses a %s that cannot be read", (_, key, code) => {
    place(key());
    expect(fill).toThrow(expect.objectContaining({ code }));
  });

  it("refuses an empty PIN, which a token would count as a wrong one", () => {
    writeFileSync(join(dir, "pin"), "\n");
    place(token());
    expect(fill).toThrow(expect.objectContaining({ code: "SIGNER_SECRET_UNREADABLE" }));
  });
});
