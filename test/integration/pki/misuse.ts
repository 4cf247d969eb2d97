import type { ConnectionOptions } from "node:tls";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { x509 } from "../../../certs/x509.ts";
import { type Authorities, leafOf, makeAuthorities } from "./authorities.ts";
import {
  authorityExtensions,
  clientLeaf,
  type Forgery,
  forge,
  splitPem,
  tampered,
  unknownCritical,
  withForeignKey,
} from "./forge.ts";
import * as refusals from "./refusals.ts";

const TWO_DAYS = 2 * 24 * 60;
const YEAR = 365 * 24 * 60;

/** A client's mistake, or a thief's attempt, that no listener lets past its handshake. */
export interface Misuse extends refusals.Refusal {
  readonly kind: string;
  /** What the client shows; null for nothing. */
  readonly show: (authorities: Authorities) => Promise<CertifiedKey | null>;
  /** How else the client connects. */
  readonly options?: ConnectionOptions;
}

/** Such as a client of ours would not send by itself. */
const WEAK: ConnectionOptions = { ciphers: "DEFAULT:@SECLEVEL=0" };
/** TLS 1.3 has none of these; so it is TLS 1.2 with nothing else. */
const NO_AEAD: ConnectionOptions = { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256" };
const { serverAuth, codeSigning } = x509.ExtendedKeyUsage;
const { keyEncipherment } = x509.KeyUsageFlags;
const dns = (value: string) => ({ type: "dns" as const, value });
const ip = (value: string) => ({ type: "ip" as const, value });

/** Every kind. Whatever is wrong in a certificate was signed with the key of an authority of ours. */
export const MISUSES: readonly Misuse[] = [
  { kind: "no certificate", show: async () => null, ...refusals.NOTHING_SHOWN },
  { kind: "the same name under a stranger's root", show: strangerOf("acme"), ...refusals.FOREIGN_ROOT },
  { kind: "the same name of another tenant", show: strangerOf("other"), ...refusals.FOREIGN_ROOT },
  { kind: "a certificate that signed itself", show: selfSigned, ...refusals.SELF_SIGNED },
  { kind: "a leaf without its intermediate", show: byGateways({ chain: "" }), ...refusals.NO_ISSUER },
  { kind: "a leaf behind another class's intermediate", show: wrongIntermediate, ...refusals.NO_ISSUER },
  { kind: "an expired one", show: valid(-YEAR, -1), ...refusals.EXPIRED },
  { kind: "one made by a clock 48 h behind", show: valid(-TWO_DAYS - 60, -TWO_DAYS), ...refusals.EXPIRED },
  { kind: "one that is not yet valid", show: valid(2, YEAR), ...refusals.NOT_YET_VALID },
  { kind: "one made by a clock 48 h ahead", show: valid(TWO_DAYS, YEAR), ...refusals.NOT_YET_VALID },
  { kind: "the usage of a server alone", show: withLeaf([], [serverAuth]), ...refusals.PURPOSE },
  { kind: "the usage of code signing", show: withLeaf([], [codeSigning]), ...refusals.PURPOSE },
  { kind: "a key that may not sign", show: withLeaf([], undefined, keyEncipherment), ...refusals.PURPOSE },
  { kind: "an authority", show: byGateways({ extensions: authorityExtensions() }), ...refusals.PURPOSE },
  { kind: "a leaf of an authority below the gateways'", show: belowSubAuthority, ...refusals.PATH_LENGTH },
  { kind: "a leaf that a gateway's leaf signed", show: signedByLeaf, ...refusals.NO_AUTHORITY },
  { kind: "a service by the gateways' authority", show: named("services", "svc-backend"), ...refusals.NAME },
  { kind: "an operator by the gateways' authority", show: named("operators", "op-admin"), ...refusals.NAME },
  { kind: "a device by the gateways' authority", show: named("devices", "tk-1"), ...refusals.NAME },
  { kind: "another tenant by the gateways' authority", show: named("gateways", "gw-01", "other"), ...refusals.NAME },
  { kind: "a subject without a class", show: byGateways({ subject: [{ CN: ["gw-01"] }] }), ...refusals.NAME },
  { kind: "a service's DNS name", show: withLeaf([dns("backend.acme.trustkern.internal")]), ...refusals.NAME },
  { kind: "a DNS name of the world", show: withLeaf([dns("example.org")]), ...refusals.NAME },
  { kind: "an IP address of a gateway", show: withLeaf([ip("192.0.2.1")]), ...refusals.NAME },
  { kind: "a gateway's DNS name by the services' authority", show: gatewayNameByServices, ...refusals.NAME },
  { kind: "a signature that was changed", show: async (a) => tampered(await leafOf(a, "gw-01")), ...refusals.TAMPERED },
  { kind: "somebody else's, with a key of one's own", show: stolen, ...refusals.WRONG_KEY },
  { kind: "a critical extension that nobody knows", show: withUnknown, ...refusals.UNKNOWN_CRITICAL },
  { kind: "an RSA key of 1024 bits", show: byGateways({ key: "RSA-1024" }), options: WEAK, ...refusals.WEAK_KEY },
  { kind: "a signature over SHA-1", show: byGateways({ hash: "SHA-1" }), options: WEAK, ...refusals.WEAK_HASH },
  // TLS 1.3 has no signature for these: the client cannot show what it has.
  { kind: "a key on P-224", show: byGateways({ key: "P-224" }), options: WEAK, ...refusals.NOTHING_SHOWN },
  { kind: "a key on P-192", show: byGateways({ key: "P-192" }), options: WEAK, ...refusals.NOTHING_SHOWN },
  { kind: "TLS 1.2", show: own, options: { maxVersion: "TLSv1.2" }, ...refusals.VERSION },
  {
    kind: "TLS 1.1",
    show: own,
    options: { ...WEAK, minVersion: "TLSv1.1", maxVersion: "TLSv1.1" },
    ...refusals.VERSION,
  },
  { kind: "a suite that is no AEAD", show: own, options: NO_AEAD, ...refusals.VERSION },
];

function subject(unit: string, name: string, tenant = "acme"): Forgery["subject"] {
  return [{ O: [tenant] }, { OU: [unit] }, { CN: [name] }];
}

/** A forgery by who has the key of the gateways' authority. */
function byGateways(change: Partial<Forgery>): Misuse["show"] {
  return ({ issuers: { gateways } }) => forge({ issuer: gateways, subject: subject("gateways", "gw-01"), ...change });
}

function valid(fromMinutes: number, toMinutes: number): Misuse["show"] {
  return byGateways({ fromMinutes, toMinutes });
}

function withLeaf(...leaf: Parameters<typeof clientLeaf>): Misuse["show"] {
  return byGateways({ extensions: clientLeaf(...leaf) });
}

function named(...of: Parameters<typeof subject>): Misuse["show"] {
  return byGateways({ subject: subject(...of) });
}

function own(authorities: Authorities): Promise<CertifiedKey> {
  return leafOf(authorities, "gw-01");
}

function strangerOf(tenant: string): Misuse["show"] {
  return async () => own(await makeAuthorities(tenant));
}

function selfSigned(): Promise<CertifiedKey> {
  return forge({ subject: subject("gateways", "gw-01") });
}

function wrongIntermediate(authorities: Authorities): Promise<CertifiedKey | null> {
  return byGateways({ chain: authorities.issuers.services.certPem })(authorities);
}

async function stolen(authorities: Authorities): Promise<CertifiedKey> {
  return withForeignKey(await own(authorities));
}

function withUnknown(authorities: Authorities): Promise<CertifiedKey | null> {
  return byGateways({ extensions: [...clientLeaf(), unknownCritical()] })(authorities);
}

function gatewayNameByServices({ issuers: { services } }: Authorities): Promise<CertifiedKey> {
  const extensions = clientLeaf([dns("gw-01.gateways.acme.trustkern.internal")]);
  return forge({ issuer: services, subject: subject("services", "svc-backend"), extensions });
}

async function belowSubAuthority({ issuers: { gateways } }: Authorities): Promise<CertifiedKey> {
  const sub = await forge({ issuer: gateways, subject: subject("gateways", "sub"), extensions: authorityExtensions() });
  return forge({ issuer: sub, subject: subject("gateways", "gw-01") });
}

async function signedByLeaf(authorities: Authorities): Promise<CertifiedKey> {
  const issuer = await own(authorities);
  return forge({ issuer, subject: subject("gateways", "gw-02"), chain: splitPem(issuer.certPem).join("") });
}
