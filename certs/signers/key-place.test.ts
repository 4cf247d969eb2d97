import { describe, expect, test } from "vitest";
import { keyAt } from "./key-place.ts";
import { stepCaKey, stepCaKeyName } from "./step-ca-kms.ts";

const pkcs11 = {
  kind: "pkcs11",
  module: "/usr/lib/t.so",
  token: "acme",
  pinFile: "/etc/pin",
  keyPrefix: "demo",
} as const;
const tpm2 = { kind: "tpm2", device: "/dev/tpmrm0", folder: "/keys" } as const;
const kms = { kind: "aws-kms", region: "eu-central-1", keys: { gateways: "1234" } } as const;

describe("an authority's key", () => {
  test("has a label, a file or an id of its own in each place", () => {
    expect(keyAt(pkcs11, "root")).toEqual({ ...pkcs11, keyPrefix: undefined, label: "demo-root" });
    expect(keyAt(tpm2, "gateways")).toEqual({ kind: "tpm2", device: "/dev/tpmrm0", file: "/keys/gateways.tss2.pem" });
    expect(keyAt(kms, "gateways")).toEqual({ kind: "aws-kms", region: "eu-central-1", keyId: "1234" });
  });

  test("is named to step-ca by URIs that have no PIN", () => {
    expect(stepCaKey(pkcs11, "gateways", "/unused")).toEqual({
      key: "pkcs11:object=demo-gateways",
      kms: { type: "pkcs11", uri: "pkcs11:module-path=/usr/lib/t.so;token=acme?pin-source=/etc/pin" },
    });
    expect(stepCaKey(tpm2, "gateways", "/unused")).toEqual({
      key: "tpmkms:path=/keys/gateways.tss2.pem",
      kms: { type: "tpmkms", uri: "tpmkms:device=/dev/tpmrm0" },
    });
    expect(stepCaKey(kms, "gateways", "/unused")).toEqual({
      key: "awskms:key-id=1234",
      kms: { type: "awskms", uri: "awskms:region=eu-central-1" },
    });
  });

  test("is named to step-ca alone where only the name has changed", () => {
    expect(stepCaKeyName(keyAt(pkcs11, "gateways-2"))).toBe("pkcs11:object=demo-gateways-2");
    expect(stepCaKeyName(keyAt(tpm2, "gateways-2"))).toBe("tpmkms:path=/keys/gateways-2.tss2.pem");
    expect(stepCaKeyName(keyAt(kms, "gateways"))).toBe("awskms:key-id=1234");
  });

  test("is a file, without a KMS, where keys are files", () => {
    expect(stepCaKey({ kind: "file" }, "gateways", "/run/key")).toEqual({ key: "/run/key" });
  });
});
