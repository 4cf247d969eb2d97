import { describe, expect, it } from "vitest";
import { parseKeyUri } from "./key-uri.ts";

const TOKEN = "pkcs11:token=acme%20keys;object=anna?module-path=/usr/lib/p11.so&pin-source=file:///run/pin";

describe("a URI of a key", () => {
  it("names a key on a token, in a TPM, or is the path of a file", () => {
    const ref = { kind: "pkcs11", token: "acme keys", label: "anna", module: "/usr/lib/p11.so", pinFile: "/run/pin" };
    expect(parseKeyUri(TOKEN)).toEqual(ref);
    const tpm = { kind: "tpm2", device: "/dev/tpmrm0", file: "/keys/anna.tss2.pem" };
    expect(parseKeyUri("tpm2:device=/dev/tpmrm0;file=/keys/anna.tss2.pem")).toEqual(tpm);
    expect(parseKeyUri("keys/anna.age")).toBeUndefined();
  });

  it.each([
    "pkcs11:",
    "pkcs11:token=a;object=b",
    "pkcs11:token=a;object=?module-path=/m&pin-source=/p",
    "pkcs11:token=a;object=b?module-path=m.so&pin-source=/p",
    `${TOKEN}&pin-value=1234`,
    `${TOKEN}&module-path=/other.so`,
    "pkcs11:token=%zz;object=b?module-path=/m&pin-source=/p",
    "pkcs11:1234",
    "tpm2:device=/dev/tpmrm0",
    "tpm2:device=tpm;file=/f",
    "tpm2:device=/d;file=/f;x=1",
  ])("is refused as %s, and a PIN is not shown", (uri) => {
    expect(() => parseKeyUri(uri)).toThrow(expect.objectContaining({ code: "SIGNER_URI_INVALID" }));
    try {
      parseKeyUri(uri);
    } catch (thrown) {
      expect(String(thrown)).not.toContain("1234");
    }
  });
});
