import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DeploymentCertificates, issueDeploymentCertificates } from "./deployment.ts";
import { type Pkcs12Request, renderPkcs12 } from "./pkcs12.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-p12-"));
const passphrase = "correct horse battery";
let made: DeploymentCertificates;
beforeAll(async () => {
  const clock = () => new Date("2026-11-21T08:00:00Z");
  made = await issueDeploymentCertificates({
    tenant: "acme",
    clock,
    services: [],
    gateways: ["gw-01"],
    operators: ["op-admin"],
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const render = (rest: Partial<Pkcs12Request> = {}): Buffer => {
  const { certPem, keyPem } = made.leaves[1]!;
  return renderPkcs12({ certPem, keyPem, passphrase, friendlyName: "op-admin", ...rest });
};
const openssl = (der: Buffer, ...args: readonly string[]): string => {
  const file = join(folder, "a.p12");
  writeFileSync(file, der);
  return execFileSync("openssl", ["pkcs12", "-in", file, "-passin", `pass:${passphrase}`, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
};
const info = (der: Buffer): string => {
  const file = join(folder, "b.p12");
  writeFileSync(file, der);
  const args = ["pkcs12", "-info", "-noout", "-in", file, "-passin", `pass:${passphrase}`];
  return spawnSync("openssl", args, { encoding: "utf8" }).stderr;
};

describe("a PKCS #12 file", () => {
  test("opens with openssl: key, chain and name come back as they were", () => {
    const { certPem, keyPem } = made.leaves[1]!;
    const der = render();
    expect(openssl(der, "-nodes", "-nocerts")).toContain(keyPem.trim());
    const certificates = openssl(der, "-nokeys")
      .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
      ?.join("\n");
    expect(certificates).toBe(certPem.trim());
    expect(openssl(der, "-nokeys", "-clcerts")).toContain("friendlyName: op-admin");
  });

  test("has the key under AES-256 with PBKDF2 and HMAC-SHA-256, and a MAC with SHA-256", () => {
    const text = info(render());
    expect(text).toMatch(/MAC: sha256, Iteration 50000/);
    expect(text).toMatch(/Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 50000, PRF hmacWithSHA256/);
  });

  test("has Triple DES and SHA-1 for old readers only when asked", () => {
    expect(info(render())).not.toMatch(/sha1|3-KeyTripleDES/);
    const text = info(render({ legacy: true }));
    expect(text).toMatch(/MAC: sha1, Iteration 50000/);
    expect(text).toMatch(/Shrouded Keybag: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 50000/);
  });

  test("serves TLS in Node", () => {
    expect(() => createSecureContext({ pfx: render(), passphrase })).not.toThrow();
    expect(() => createSecureContext({ pfx: render(), passphrase: "wrong horse battery" })).toThrow(/mac verify/i);
  });

  test("is refused after any change of a byte that the MAC holds", () => {
    const der = render();
    for (const at of [60, 200, der.length >> 1]) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => createSecureContext({ pfx: changed, passphrase })).toThrow();
    }
  });

  test("has another salt each time", () => {
    expect(render().equals(render())).toBe(false);
  });

  test.each(["", "short", "eleven char", "umlaut-ü-umlaut", "tab\tand more of it", "x".repeat(129)])(
    "is not made with the passphrase %j, which is in no error",
    (wrong) => {
      let thrown: unknown;
      try {
        render({ passphrase: wrong });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: "PKCS12_PASSPHRASE" });
      if (wrong !== "") expect((thrown as Error).message).not.toContain(wrong);
    },
  );

  test("is not made of a key that is not the certificate's, or of what is no key or certificate", () => {
    const wrong = [
      { keyPem: made.leaves[0]!.keyPem },
      { keyPem: "no key" },
      { certPem: "no certificate" },
      { certPem: "" },
    ];
    for (const each of wrong) {
      expect(() => render(each)).toThrow(expect.objectContaining({ code: "CERT_AUTHORITY_INVALID" }));
    }
  });
});
