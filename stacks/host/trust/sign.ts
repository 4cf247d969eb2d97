import type { KeySigner } from "../../../certs/signers/signer.ts";
import { dsseSign } from "../../../protocol/dsse.ts";
import { writePrivate } from "../files.ts";
import { signedVersion } from "./check.ts";
import { renderManifest, START_MANIFEST_TYPE, type StartManifest } from "./manifest.ts";
import { type StartPlace, trustFiles } from "./place.ts";
import { readSeen, seenOf, writeSeen } from "./seen.ts";
import { pinStartKey } from "./start-key.ts";

/** What was deployed, for a manifest. */
export interface Deployed extends Pick<StartManifest, "containers" | "files"> {
  readonly issuedAt: Date;
}

/**
 * Signs what was deployed and puts it in the place of the manifest before. Killed on the way, the old one counts or the new one
 * does, and a later run signs a newer one.
 * @returns the new version
 * @throws START_STATE_CORRUPT, STATE_UNWRITABLE, and every SIGNER_ code
 */
export async function signStart(place: StartPlace, deployed: Deployed, signer: KeySigner): Promise<number> {
  const { deployment, label, layout } = place;
  const files = trustFiles(layout);
  const version = Math.max(readSeen(files.seen)?.version ?? 0, signedVersion(place)) + 1;
  const payload = renderManifest({
    schema: "trustkern.start-manifest/1",
    deployment: deployment.name,
    tenant: deployment.tenant,
    state: label[1],
    version,
    issuedAt: deployed.issuedAt.toISOString(),
    containers: deployed.containers,
    files: deployed.files,
  });
  const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
  const envelope = await dsseSign(START_MANIFEST_TYPE, payload, async (data) => {
    return new Uint8Array(await signer.crypto.subtle.sign(algorithm, signer.signingKey, Buffer.from(data)));
  });
  pinStartKey(layout, signer);
  writePrivate(files.manifest, `${envelope}\n`);
  writeSeen(files.seen, seenOf(version, payload));
  return version;
}
