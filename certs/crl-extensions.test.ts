import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { CRLNumber, id_ce_cRLNumber } from "@peculiar/asn1-x509";
import { beforeAll, expect, test } from "vitest";
import type { StoredAuthority } from "./authority.ts";
import { issueIntermediate } from "./classes/intermediate.ts";
import { issueRoot } from "./classes/root.ts";
import { verifyCrl } from "./crl.ts";
import { x509 } from "./x509.ts";

const DELTA_CRL_INDICATOR = "2.5.29.27";
const ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
const UNKNOWN = "1.3.6.1.4.1.99999.1";
const now = new Date("2026-11-21T08:00:00Z");
let gateways: StoredAuthority;
beforeAll(async () => {
  const root = (await issueRoot({ tenant: "acme", now })).authority;
  gateways = (await issueIntermediate(root, { leafClass: "gateways", now })).authority;
});

/** What is found in a list of the authority's own key that has one extension more. */
async function found(id: string, critical: boolean): Promise<readonly string[]> {
  const { certificate, signingKey } = gateways;
  const crl = await x509.X509CrlGenerator.create({
    issuer: certificate.subjectName,
    thisUpdate: now,
    nextUpdate: new Date(now.getTime() + 4 * 86_400_000),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
      new x509.Extension(id_ce_cRLNumber, false, AsnConvert.serialize(new CRLNumber(1))),
      new x509.Extension(id, critical, AsnConvert.serialize(new OctetString([1]))),
    ],
    signingKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  const pem = x509.PemConverter.encode(crl.rawData, "X509 CRL");
  return verifyCrl({ pem, issuerPem: gateways.certPem, now }).map(({ code, reason }) => `${code} ${reason}`);
}

test.each([
  ["nobody knows", UNKNOWN],
  ["makes the list no more than the changes to another", DELTA_CRL_INDICATOR],
])("a list with a critical extension that %s is not taken", async (_, id) => {
  expect(await found(id, true)).toEqual(["CRL_FORM corrupt"]);
});

test.each([
  ["one that nobody knows, which is not critical", UNKNOWN, false],
  ["the one of step-ca's lists", ISSUING_DISTRIBUTION_POINT, true],
])("a list with %s is taken", async (_, id, critical) => {
  expect(await found(id, critical)).toEqual([]);
});
