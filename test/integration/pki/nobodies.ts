import type { CertifiedKey } from "../../../certs/issue.ts";
import { type Authorities, deviceOf, leafOf } from "./authorities.ts";
import { clientLeaf, type Forgery, forge } from "./forge.ts";

/** Who has a valid chain, and a name that belongs to nobody: a listener may let it in, and gives it nothing. */
export interface Nobody {
  readonly kind: string;
  readonly show: (authorities: Authorities) => Promise<CertifiedKey>;
}

const O = { O: ["acme"] };
const OU = { OU: ["gateways"] };

const byGateways =
  (...subject: Forgery["subject"]): Nobody["show"] =>
  ({ issuers: { gateways } }) =>
    forge({ issuer: gateways, subject, extensions: clientLeaf() });

/** Every kind, made with the key of the gateways' authority where it is not an operator. */
export const NOBODIES: readonly Nobody[] = [
  { kind: "a gateway that calls itself svc-backend", show: byGateways(O, OU, { CN: ["svc-backend"] }) },
  { kind: "a gateway that calls itself svc-collector", show: byGateways(O, OU, { CN: ["svc-collector"] }) },
  { kind: "a gateway that calls itself op-admin", show: byGateways(O, OU, { CN: ["op-admin"] }) },
  { kind: "a gateway that nobody knows", show: byGateways(O, OU, { CN: ["gw-99"] }) },
  { kind: "a certificate with two common names", show: byGateways(O, OU, { CN: ["gw-01"] }, { CN: ["svc-backend"] }) },
  { kind: "a common name twice in one element", show: byGateways(O, OU, { CN: ["gw-01", "svc-backend"] }) },
  { kind: "a zero octet in the common name", show: byGateways(O, OU, { CN: ["svc-backend\0.gw-01"] }) },
  { kind: "a comma in the common name", show: byGateways(O, OU, { CN: ["gw-01,OU=services,O=acme"] }) },
  { kind: "two units", show: byGateways(O, OU, { OU: ["services"] }, { CN: ["svc-backend"] }) },
  { kind: "no common name", show: byGateways(O, OU) },
  { kind: "the identity of a device", show: deviceOf },
  { kind: "an operator", show: (authorities) => leafOf(authorities, "op-admin") },
];
