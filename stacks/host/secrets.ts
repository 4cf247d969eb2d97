import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { signersErrors } from "../../certs/signers/errors.ts";
import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { type Authorities, haveAuthorities, makeAuthorities } from "./authorities.ts";
import { hostErrors } from "./errors.ts";
import { openHostLedger } from "./host-ledger.ts";
import { type HostPki, openHostPki } from "./host-pki.ts";
import type { Layout } from "./layout.ts";
import { AUTHORITIES_PASSPHRASE, makeOriginals } from "./originals.ts";
import { assertMadeFor } from "./services-namespace.ts";
import { hostFiles, type StoreFiles } from "./store-files.ts";

/** Who the ledger says has done what no person asked for by name. */
const HOST_ACTOR = "trustkern";

/** What the secret store is made for. */
export interface SecretsRequest {
  readonly layout: Layout;
  readonly model: Model;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
  readonly tenant: string;
  /** Namespace whose Services the deployment's services are, as `servicesNamespace` gives it. */
  readonly namespace: string | undefined;
  /** Where the authorities' keys belong. */
  readonly pki: Deployment["pki"];
  readonly clock: () => Date;
  /** Whether an earlier run finished: then a secret that is missing is a corrupt store and is never made anew. */
  readonly existing: boolean;
  /** Text of a vectors file for custody's `fixture.json`; dev only. */
  readonly fixture: string | undefined;
  readonly onEvent: (event: SecurityEvent) => void;
  /** @default the files of this host */
  readonly files?: StoreFiles | undefined;
}

/**
 * Fills the deployment's secret store: makes what is missing at the first run, and renews what ends.
 * @throws STATE_CORRUPT when an earlier run's secret is gone or cannot be read
 * @throws AUTHORITY_NAMESPACE for authorities of another namespace or engine, before anything is made
 * @throws CEREMONY_NEEDED when the authorities are not there and their keys belong on a device
 */
export async function prepareSecrets(request: SecretsRequest): Promise<Authorities> {
  const { layout, model, files = hostFiles } = request;
  assertMadeFor(layout.authoritiesDir, request.namespace);
  makeOriginals({ layout, model, files, existing: request.existing });
  if (!haveAuthorities(layout.authoritiesDir)) {
    assertFiles(request.pki);
    await makeAuthorities({
      dir: layout.authoritiesDir,
      tenant: request.tenant,
      namespace: request.namespace,
      clock: request.clock,
      passphrase: originalOf(layout, AUTHORITIES_PASSPHRASE),
      onEvent: request.onEvent,
    });
  }
  fillDerived(request, files);
  const pki = await openStoredPki(request);
  await pki.converge();
  return pki.authorities();
}

/**
 * The PKI in a deployment's secret store, which is there.
 * @throws STATE_CORRUPT when it cannot be read, and every SIGNER_ code where a device refuses
 */
export async function openStoredPki(
  request: Pick<
    SecretsRequest,
    "layout" | "model" | "secretFile" | "tenant" | "namespace" | "clock" | "onEvent" | "files"
  >,
  actor = HOST_ACTOR,
): Promise<HostPki> {
  const { layout, files = hostFiles } = request;
  const { authoritiesDir } = layout;
  try {
    const passphrase = (): string => originalOf(layout, AUTHORITIES_PASSPHRASE);
    const ledger = await openHostLedger({ dir: authoritiesDir, tenant: request.tenant, clock: request.clock, files });
    const pki = openHostPki({ ...request, authoritiesDir, files, ledger, passphrase, actor });
    await pki.authorities();
    return pki;
  } catch (cause) {
    // A token that is away, or a wrong PIN, leaves the directory as it is.
    if (cause instanceof TrustKernError && Object.hasOwn(signersErrors.entries, cause.code)) throw cause;
    throw hostErrors.error("STATE_CORRUPT", messageOf(cause), { path: authoritiesDir, cause });
  }
}

/** Keys of devices are made in a ceremony alone: none is made in a file in their stead. */
function assertFiles({ root, issuing }: Deployment["pki"]): void {
  if (root.kind === "age" && issuing.kind === "file") return;
  const message = `the deployment has no authorities, and its keys belong in ${root.kind} (root) and ${issuing.kind} (issuing)`;
  throw hostErrors.error("CEREMONY_NEEDED", message, { path: "pki" });
}

function fillDerived({ layout, model, secretFile, fixture }: SecretsRequest, files: StoreFiles): void {
  const original = (name: string): string => originalOf(layout, name);
  const signingKey = join(layout.secretsDir, "backend/signing.key");
  const derived: Readonly<Record<string, string | undefined>> = {
    "backend.pub": publicPoint(original("backend/signing.key"), signingKey),
    "fixture.json": fixture,
    "collector/database.password": original("database/writer.password"),
    "grafana/database.password": original("database/reader.password"),
    "schema/owner.password": original("database/owner.password"),
    "schema/writer.password": original("database/writer.password"),
    "schema/reader.password": original("database/reader.password"),
  };
  for (const component of model.components) {
    for (const { name } of component.secrets) {
      const content = derived[`${component.name}/${name}`] ?? derived[name];
      if (content !== undefined) files.write(secretFile(component.name, name), content);
    }
  }
}

function originalOf({ secretsDir }: Layout, name: string): string {
  return readFileSync(join(secretsDir, name), "utf8");
}

/** The uncompressed point (SEC 1, section 2.3.3) of a P-256 private key, in lower-case hex. */
function publicPoint(privateKeyPem: string, path: string): string {
  try {
    const { x = "", y = "" } = createPublicKey(createPrivateKey(privateKeyPem)).export({ format: "jwk" });
    return Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]).toString("hex");
  } catch {
    throw hostErrors.error("STATE_CORRUPT", "the backend's signing key is not a P-256 key in PKCS #8 PEM", {
      path,
    });
  }
}
