import { renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Ceremony, holdCeremony } from "../../certs/ceremony/ceremony.ts";
import { assertPeople } from "../../certs/ceremony/people.ts";
import type { Transcript } from "../../certs/ceremony/transcript.ts";
import { assertNamespace } from "../../certs/cluster-names.ts";
import { issueCrl } from "../../certs/crl.ts";
import { assertMaker, assertTenant, LEAF_CLASSES } from "../../certs/names.ts";
import { createMemorySigner, createSigner } from "../../certs/signers/index.ts";
import { keyAt } from "../../certs/signers/key-place.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { assertStrong, readPassphrase } from "../../custody/passphrase.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { haveAuthorities } from "./authorities.ts";
import { type KeyElsewhere, keyPlaceFile, keyRefOf, renderKeyPlace } from "./authority-key.ts";
import { hostErrors } from "./errors.ts";
import { makePrivateDir, writePrivate, writing } from "./files.ts";
import { openHostLedger } from "./host-ledger.ts";
import { assertOffline, type RootFile } from "./key-ceremony.ts";
import type { Layout } from "./layout.ts";
import { hostFiles } from "./store-files.ts";

/** How long the root's first revocation list is good for, in seconds: its key is away until then. */
const ROOT_LIST_SECONDS = 365 * 86_400;

/** What the authorities of a deployment are made from. */
export interface HostCeremonyRequest {
  readonly layout: Layout;
  readonly deployment: Pick<Deployment, "tenant" | "pki">;
  /** Namespace whose Services the authority of services may name, as `servicesNamespace` gives it. */
  readonly namespace: string | undefined;
  readonly clock: () => Date;
  /** Where the root's key goes with `pki.root.kind` `age`, and the file of its passphrase; absolute. */
  readonly rootFile: RootFile | undefined;
  readonly makers: readonly string[];
  readonly conductor: string;
  readonly witnesses: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  readonly acceptP256Root: boolean;
  readonly onEvent: (event: SecurityEvent) => void;
}

/** An issuing authority's key, and the file beside its certificate that has it or says where it is. */
interface IssuingKey {
  readonly name: string;
  readonly signer: KeySigner;
  readonly file: (dir: string) => string;
  readonly content: string;
}

/**
 * Holds the ceremony of a deployment: makes every key where the deployment says it belongs, and puts certificates, transcript,
 * ledger and the root's revocation list in place, all at once. The root's key is in none of them.
 * @throws AUTHORITIES_EXIST, ROOT_KEY_ONLINE, ROOT_KEY_ELSEWHERE when no file is named for it, what `holdCeremony` throws, and
 *   every SIGNER_ code
 */
export async function makeByCeremony(request: HostCeremonyRequest): Promise<Transcript> {
  const dir = request.layout.authoritiesDir;
  if (haveAuthorities(dir)) {
    throw hostErrors.error("AUTHORITIES_EXIST", `"${dir}" has authorities`, { path: dir });
  }
  // Before any key: what is on a device by then stays there.
  assertTenant(request.deployment.tenant);
  if (request.namespace !== undefined) assertNamespace(request.namespace);
  assertPeople(request);
  for (const maker of request.makers) assertMaker(maker);
  const place = rootPlace(request);
  const root = await createSigner(keyRefOf(place), request.acceptP256Root && place.kind !== "age" ? "P-256" : "P-384");
  let keys: readonly IssuingKey[] = [];
  try {
    keys = await issuingKeys(request);
    const made = await ceremonyOf(request, root, keys);
    await putInPlace(request, place, keys, made);
    for (const event of made.events) request.onEvent(event);
    return made.transcript;
  } catch (thrown) {
    // What no certificate came of is nobody's key; on a device it stays, for a person to remove.
    if (place.kind === "age" && !haveAuthorities(dir)) rmSync(place.file, { force: true });
    throw thrown;
  } finally {
    for (const signer of [root, ...keys.map((key) => key.signer)]) await signer.close();
  }
}

function rootPlace({ deployment, rootFile, layout }: HostCeremonyRequest): KeyElsewhere {
  const { root } = deployment.pki;
  if (root.kind !== "age") return keyAt(root, "root");
  if (rootFile === undefined) {
    throw hostErrors.error("ROOT_KEY_ELSEWHERE", "pki.root is an age file, and no file is named for it", {
      path: "--root-key",
      fix: "name it with --root-key FILE and --passphrase-file FILE",
    });
  }
  assertOffline(layout.dir, rootFile.file);
  assertStrong(readPassphrase(rootFile.passphraseFile), rootFile.passphraseFile);
  return { kind: "age", ...rootFile };
}

async function issuingKeys({ deployment, makers }: HostCeremonyRequest): Promise<readonly IssuingKey[]> {
  const { issuing } = deployment.pki;
  const names = [...LEAF_CLASSES, ...makers.map((maker) => `makers/${maker}`)];
  const keys: IssuingKey[] = [];
  // One after the other: a token and a TPM do one thing at a time.
  for (const name of names) {
    if (issuing.kind === "file") {
      const { signer, keyPem } = await createMemorySigner("P-256", `file:${name}.key`);
      keys.push({ name, signer, file: (dir) => join(dir, `${name}.key`), content: keyPem });
    } else {
      const place = keyAt(issuing, name.replace("makers/", "maker-"));
      const signer = await createSigner(place, "P-256");
      keys.push({ name, signer, file: (dir) => keyPlaceFile(dir, name), content: renderKeyPlace(place) });
    }
  }
  return keys;
}

async function ceremonyOf(
  request: HostCeremonyRequest,
  root: KeySigner,
  keys: readonly IssuingKey[],
): Promise<Ceremony> {
  const { deployment, clock, makers, conductor, witnesses, versions, acceptP256Root } = request;
  const of = (name: string): KeySigner => {
    const found = keys.find((key) => key.name === name);
    if (found === undefined) throw new TypeError(`no key was made for ${name}`);
    return found.signer;
  };
  return holdCeremony({
    tenant: deployment.tenant,
    namespace: request.namespace,
    now: clock(),
    root,
    issuing: { services: of("services"), gateways: of("gateways"), operators: of("operators") },
    makers: Object.fromEntries(makers.map((maker) => [maker, of(`makers/${maker}`)])),
    conductor,
    witnesses,
    versions,
    acceptP256Root,
  });
}

async function putInPlace(
  { layout, deployment, clock, conductor }: HostCeremonyRequest,
  place: KeyElsewhere,
  keys: readonly IssuingKey[],
  made: Ceremony,
): Promise<void> {
  const dir = layout.authoritiesDir;
  const fresh = `${dir}.new`;
  writing(fresh, () => rmSync(fresh, { recursive: true, force: true }));
  makePrivateDir(dirname(fresh));
  makePrivateDir(fresh);
  for (const { path, content } of made.files) writePrivate(join(fresh, path), content);
  for (const { file, content } of keys) writePrivate(file(fresh), content);
  writePrivate(keyPlaceFile(fresh, "root"), renderKeyPlace(place));
  const list = { number: 1n, revoked: [], now: clock(), lifetimeSeconds: ROOT_LIST_SECONDS };
  writePrivate(join(fresh, "crls/root.pem"), (await issueCrl(made.root, list)).pem);
  const ledger = await openHostLedger({ dir: fresh, tenant: deployment.tenant, clock, files: hostFiles });
  const authorities = [made.root, ...Object.values(made.issuing), ...Object.values(made.makers)];
  for (const { certPem } of authorities) await ledger.issued(certPem, conductor);
  writing(dir, () => renameSync(fresh, dir));
}
