import { X509Certificate } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { issueDeploymentCertificates } from "../../certs/deployment.ts";
import { keyIdOf, type TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";
import type { Tls13Options } from "../runtime/tls.ts";
import { revocationOf } from "./revocation.ts";

const now = Date.now();
let leaf: X509Certificate;
let authority: X509Certificate;
let root: X509Certificate;

beforeAll(async () => {
  const made = await issueDeploymentCertificates({
    tenant: "acme",
    clock: () => new Date(now),
    services: [],
    gateways: ["gw-01"],
    operators: [],
  });
  const [pem = ""] = made.leaves.map(({ certPem }) => certPem);
  root = linked(made.root.certPem, undefined);
  // A client does not send the root, and Node then does not know who issued what is below it.
  authority = new X509Certificate(made.intermediates.gateways.certPem);
  leaf = linked(pem, authority);
});

/** A certificate that knows its issuer, as one of a TLS connection does; without one it is its own. */
function linked(pem: string, issuer: X509Certificate | undefined): X509Certificate {
  const certificate = new X509Certificate(pem);
  return Object.defineProperty(certificate, "issuerCertificate", { value: issuer ?? certificate });
}

const reasonOf = (shown: X509Certificate | undefined, crls: readonly TrustedCrl[], anchor = root) =>
  revocationOf(shown, { crls, tls: { ca: String(anchor) } as Tls13Options });
const list = (issuer: X509Certificate, serials: readonly string[] = []): TrustedCrl => ({
  issuer: "",
  keyId: keyIdOf(issuer),
  number: 1n,
  nextUpdate: new Date(now + 1e9),
  serials: new Set(serials),
  pem: "",
});
const serial = ({ serialNumber }: X509Certificate): string => serialNumber.toLowerCase().replace(/^0+/, "");

test("lets in who is in nobody's list", () => {
  const all = [list(root), list(authority)];
  expect(reasonOf(leaf, all)).toBe(null);
  expect(reasonOf(linked(String(leaf), linked(String(authority), root)), all)).toBe(null);
});

test("refuses a leaf, and an authority above one, that its issuer's list names", () => {
  expect(reasonOf(leaf, [list(root), list(authority, [serial(leaf)])])).toBe("certificate-revoked");
  expect(reasonOf(leaf, [list(root, [serial(authority)]), list(authority)])).toBe("certificate-revoked");
});

test("lets a number count in its own issuer's list alone", () => {
  expect(reasonOf(leaf, [list(root, [serial(leaf)]), list(authority, [serial(authority)])])).toBe(null);
});

test("refuses everybody of whose issuers one has no list", () => {
  expect(reasonOf(leaf, [])).toBe("certificate-list-missing");
  expect(reasonOf(leaf, [list(authority)])).toBe("certificate-list-missing");
  expect(reasonOf(leaf, [list(root)])).toBe("certificate-list-missing");
});

test("refuses who shows no certificate, one of itself, or one without its issuer", () => {
  const all = [list(root), list(authority)];
  expect(reasonOf(undefined, all)).toBe("certificate-list-missing");
  expect(reasonOf(linked(String(leaf), undefined), all)).toBe("certificate-list-missing");
  expect(reasonOf(leaf, all, leaf)).toBe("certificate-list-missing");
  expect(reasonOf(new X509Certificate(String(leaf)), all)).toBe("certificate-list-missing");
});
