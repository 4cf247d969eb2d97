import { beforeAll, expect, test } from "vitest";
import { type Authorities, leafOf, makeAuthorities } from "./authorities.ts";
import { MISUSES } from "./misuse.ts";
import { verdict } from "./verdict.ts";

let authorities: Authorities;
beforeAll(async () => {
  authorities = await makeAuthorities("acme");
});

const ofCertificate = MISUSES.filter(({ verdict }) => verdict !== undefined);

test("there are at least twenty kinds of misuse, each once", () => {
  expect(new Set(MISUSES.map(({ kind }) => kind)).size).toBe(MISUSES.length);
  expect(MISUSES.length).toBeGreaterThanOrEqual(20);
});

test.each(["gw-01", "svc-backend", "op-admin"])("openssl takes the right certificate of %s", async (name) => {
  const { certPem } = await leafOf(authorities, name);
  expect(await verdict(certPem, { rootPem: authorities.root.certPem, purpose: "sslclient" })).toBe("OK");
});

test.each(ofCertificate)("openssl finds in $kind what it was made for", async ({ show, verdict: expected }) => {
  const shown = await show(authorities);
  const found = await verdict(shown?.certPem ?? "", { rootPem: authorities.root.certPem, purpose: "sslclient" });
  expect(found).toMatch(expected ?? /never/);
});
