import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Authority, loadAuthority } from "../../certs/authority.ts";
import { issueDeploymentCertificates } from "../../certs/deployment.ts";
import type { LeafClass } from "../../certs/names.ts";
import { writeSealedFile } from "../../custody/backends/sealed-file.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { makePrivateDir, writePrivate, writing } from "./files.ts";
import { makeStepCaAuthority } from "./step-ca-authority.ts";

/** The authorities of a deployment: the trust anchor, and who may issue leaves. */
export interface Authorities {
  readonly rootPem: string;
  readonly issuers: Readonly<Record<LeafClass, Authority>>;
}

const CLASSES: readonly LeafClass[] = ["services", "gateways", "operators"];

/** What making the authorities needs. */
export interface NewAuthorities {
  readonly dir: string;
  readonly tenant: string;
  readonly clock: () => Date;
  /** Encrypts the root's key, which no process of the deployment reads. */
  readonly passphrase: string;
  readonly scryptWorkFactor: number;
  readonly onEvent: (event: SecurityEvent) => void;
}

/** Whether the authorities of this folder were made, all of them. */
export function haveAuthorities(dir: string): boolean {
  return existsSync(dir);
}

/** Makes root and issuers, and puts them in place in one step: a folder beside it, then renamed. */
export async function makeAuthorities(request: NewAuthorities): Promise<void> {
  const { dir, tenant, clock, passphrase } = request;
  const made = await issueDeploymentCertificates({ tenant, clock, services: [], gateways: [], operators: [] });
  const fresh = `${dir}.new`;
  writing(fresh, () => rmSync(fresh, { recursive: true, force: true }));
  makePrivateDir(fresh);
  writePrivate(join(fresh, "root.crt"), made.root.certPem);
  const sealed = { path: join(fresh, "root.key.age"), passphrase, workFactor: request.scryptWorkFactor };
  await writeSealedFile(sealed, Buffer.from(made.root.keyPem));
  for (const name of CLASSES) {
    writePrivate(join(fresh, `${name}.crt`), made.intermediates[name].certPem);
    writePrivate(join(fresh, `${name}.key`), made.intermediates[name].keyPem);
  }
  const stepCa = await makeStepCaAuthority(fresh, made.root, clock());
  writing(dir, () => renameSync(fresh, dir));
  for (const event of [...made.events, stepCa]) request.onEvent(event);
}

/**
 * Reads the authorities that {@link makeAuthorities} made.
 * @throws CERT_AUTHORITY_INVALID when a file was changed
 */
export async function readAuthorities(dir: string): Promise<Authorities> {
  const issuer = (name: LeafClass): Promise<Authority> => {
    const [certPem, keyPem] = ["crt", "key"].map((kind) => readFileSync(join(dir, `${name}.${kind}`), "utf8"));
    return loadAuthority({ certPem: certPem ?? "", keyPem: keyPem ?? "" }, join(dir, name));
  };
  const [services, gateways, operators] = await Promise.all(CLASSES.map(issuer));
  if (!services || !gateways || !operators) throw new TypeError("three classes of leaves have three issuers");
  return { rootPem: readFileSync(join(dir, "root.crt"), "utf8"), issuers: { services, gateways, operators } };
}
