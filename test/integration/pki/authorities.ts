import type { Authority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueGatewayLeaf } from "../../../certs/classes/leaf-gateway.ts";
import { issueOperatorLeaf } from "../../../certs/classes/leaf-operator.ts";
import { issueServiceLeaf } from "../../../certs/classes/leaf-service.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { LEAF_CLASSES, type LeafClass } from "../../../certs/names.ts";

/** The authorities of one deployment, with all keys. */
export interface Authorities {
  readonly tenant: string;
  readonly root: Authority;
  readonly issuers: Readonly<Record<LeafClass, Authority>>;
}

/** Makes the authorities of a tenant. */
export async function makeAuthorities(tenant: string): Promise<Authorities> {
  const now = new Date();
  const root = (await issueRoot({ tenant, now })).authority;
  const entries = LEAF_CLASSES.map(
    async (leafClass) => [leafClass, (await issueIntermediate(root, { leafClass, now })).authority] as const,
  );
  const issuers = Object.fromEntries(await Promise.all(entries)) as Record<LeafClass, Authority>;
  return { tenant, root, issuers };
}

/** A leaf as our own functions make it, by its name's prefix. */
export async function leafOf({ issuers }: Authorities, name: string): Promise<CertifiedKey> {
  const now = new Date();
  if (name.startsWith("gw-")) return issueGatewayLeaf(issuers.gateways, { name, now });
  if (name.startsWith("op-")) return issueOperatorLeaf(issuers.operators, { name, now });
  return issueServiceLeaf(issuers.services, { name, now, ipAddresses: ["127.0.0.1"] });
}
