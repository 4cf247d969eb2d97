import { generateKeyPairSync } from "node:crypto";
import type { StoredAuthority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueDeviceLeaf } from "../../../certs/classes/leaf-device.ts";
import { issueGatewayLeaf } from "../../../certs/classes/leaf-gateway.ts";
import { issueOperatorLeaf } from "../../../certs/classes/leaf-operator.ts";
import { issueServiceLeaf } from "../../../certs/classes/leaf-service.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { LEAF_CLASSES, type LeafClass } from "../../../certs/names.ts";

/** Maker of devices. */
const MAKER = "northwind";

/** The authorities of one deployment, with all keys. */
export interface Authorities {
  readonly tenant: string;
  readonly root: StoredAuthority;
  readonly issuers: Readonly<Record<LeafClass, StoredAuthority>>;
  /** The authority of the maker {@link MAKER}. */
  readonly maker: StoredAuthority;
}

/** Makes the authorities of a tenant. */
export async function makeAuthorities(tenant: string): Promise<Authorities> {
  const now = new Date();
  const root = (await issueRoot({ tenant, now })).authority;
  const entries = LEAF_CLASSES.map(
    async (leafClass) => [leafClass, (await issueIntermediate(root, { leafClass, now })).authority] as const,
  );
  const issuers = Object.fromEntries(await Promise.all(entries)) as Record<LeafClass, StoredAuthority>;
  const maker = (await issueIntermediate(root, { maker: MAKER, now })).authority;
  return { tenant, root, issuers, maker };
}

/** A leaf as our own functions make it, by its name's prefix. */
export async function leafOf({ issuers }: Authorities, name: string): Promise<CertifiedKey> {
  const now = new Date();
  if (name.startsWith("gw-")) return issueGatewayLeaf(issuers.gateways, { name, now });
  if (name.startsWith("op-")) return issueOperatorLeaf(issuers.operators, { name, now });
  return issueServiceLeaf(issuers.services, { name, now, ipAddresses: ["127.0.0.1"] });
}

/** The identity of a device of that maker. */
export async function deviceOf({ maker }: Authorities): Promise<CertifiedKey> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { publicKeySpki: publicKey.export({ format: "der", type: "spki" }) };
  const device = { hardwareId: "0123456789abcdef01", maker: MAKER, model: "TK 100" };
  const { certPem } = await issueDeviceLeaf(maker, { ...device, key, now: new Date() });
  return { certPem, keyPem: privateKey.export({ format: "pem", type: "pkcs8" }).toString() };
}
