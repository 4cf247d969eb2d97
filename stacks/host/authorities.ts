import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Authority } from "../../certs/authority.ts";
import { issueDeploymentCertificates } from "../../certs/deployment.ts";
import { LEAF_CLASSES, type LeafClass } from "../../certs/names.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { openAuthority } from "./authority-key.ts";
import { makePrivateDir, writePrivate, writing } from "./files.ts";
import { sealRootKey } from "./root-key.ts";

/** The authorities of a deployment: the trust anchors, and who may issue leaves. */
export interface Authorities {
  /** The root in force. */
  readonly rootPem: string;
  /** Every root that is to be accepted, one after the other, the one in force first: more than one while roots are rotated. */
  readonly anchorsPem: string;
  readonly issuers: Readonly<Record<LeafClass, Authority>>;
}

/** What making the authorities needs. */
export interface NewAuthorities {
  readonly dir: string;
  readonly tenant: string;
  /** Namespace whose Services the authority of services may name; undefined where no cluster runs the deployment. */
  readonly namespace: string | undefined;
  readonly clock: () => Date;
  /** Encrypts the root's key, which no process of the deployment reads. */
  readonly passphrase: string;
  readonly onEvent: (event: SecurityEvent) => void;
}

/** Whether the authorities of this folder were made, all of them. */
export function haveAuthorities(dir: string): boolean {
  return existsSync(dir);
}

/** Makes root and issuers, and puts them in place in one step: a folder beside it, then renamed. */
export async function makeAuthorities(request: NewAuthorities): Promise<void> {
  const { dir, tenant, namespace, clock, passphrase } = request;
  const nobody = { services: [], gateways: [], operators: [] };
  const made = await issueDeploymentCertificates({ tenant, namespace, clock, ...nobody });
  const fresh = `${dir}.new`;
  writing(fresh, () => rmSync(fresh, { recursive: true, force: true }));
  makePrivateDir(fresh);
  writePrivate(join(fresh, "root.crt"), made.root.certPem);
  await sealRootKey({ dir: fresh, passphrase }, "root", made.root.keyPem);
  for (const name of LEAF_CLASSES) {
    writePrivate(join(fresh, `${name}.crt`), made.intermediates[name].certPem);
    writePrivate(join(fresh, `${name}.key`), made.intermediates[name].keyPem);
  }
  writing(dir, () => renameSync(fresh, dir));
  for (const event of made.events) request.onEvent(event);
}

/**
 * Reads the authorities that {@link makeAuthorities} or a ceremony made.
 * @param anchors every root that is to be accepted, PEM
 * @throws CERT_AUTHORITY_INVALID when a file was changed, and every SIGNER_ code
 */
export async function readAuthorities(dir: string, anchors?: readonly string[]): Promise<Authorities> {
  const [services, gateways, operators] = await Promise.all(LEAF_CLASSES.map((name) => openAuthority(dir, name)));
  if (!services || !gateways || !operators) throw new TypeError("three classes of leaves have three issuers");
  const rootPem = readFileSync(join(dir, "root.crt"), "utf8");
  return { rootPem, anchorsPem: (anchors ?? [rootPem]).join(""), issuers: { services, gateways, operators } };
}
