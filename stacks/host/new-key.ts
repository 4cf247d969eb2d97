import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createMemorySigner, createSigner, loadSigner } from "../../certs/signers/index.ts";
import type { Curve, KeySigner } from "../../certs/signers/signer.ts";
import { TrustKernError } from "../../shared/errors.ts";
import {
  describeKeyPlace,
  type KeyElsewhere,
  keyPlaceFile,
  keyRefOf,
  readKeyPlace,
  renderKeyPlace,
} from "./authority-key.ts";
import { hostErrors } from "./errors.ts";
import type { RootFile } from "./key-ceremony.ts";
import type { NewKeyPlace } from "./new-key-place.ts";
import type { StoreFiles } from "./store-files.ts";

/** What making an authority's key is handed. */
export interface NewKeyRequest {
  /** The authorities' folder. */
  readonly dir: string;
  /** Name of the authority whose certificate is to come: `root.next`, `services.next`, `makers/acme`. */
  readonly name: string;
  readonly curve: Curve;
  readonly files: StoreFiles;
  /** Where it belongs; asked only where no earlier run has said so. */
  readonly place: () => Promise<NewKeyPlace>;
  /** The file that was named for it, where one was. */
  readonly named?: RootFile | undefined;
  /** Keeps a key that belongs in the authorities' folder; its PEM is a secret. */
  readonly keepHere: (keyPem: string) => Promise<void>;
}

/**
 * Makes the key of an authority that has no certificate yet, or opens the one that a run made which then died: where it is to
 * be is written down first, so that no key is ever made that nobody knows of.
 * @throws KEY_PLACE_TAKEN when an earlier run has begun in another place, what `place` throws, and every SIGNER_ code
 */
export async function newKey(request: NewKeyRequest): Promise<KeySigner> {
  const { dir, name, curve, files } = request;
  const note = keyPlaceFile(dir, name);
  const begun = existsSync(note) ? readKeyPlace(dir, name) : undefined;
  if (begun !== undefined) assertNamed(begun, request);
  const place = begun ?? (await request.place());
  if (place === "here") {
    const { signer, keyPem } = await createMemorySigner(curve, `file:${name}.key`);
    await request.keepHere(keyPem);
    return signer;
  }
  files.write(note, renderKeyPlace(place));
  return openOrMake(place, curve);
}

async function openOrMake(place: KeyElsewhere, curve: Curve): Promise<KeySigner> {
  try {
    return await loadSigner(keyRefOf(place));
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || thrown.code !== "SIGNER_KEY_MISSING") throw thrown;
    return createSigner(keyRefOf(place), curve);
  }
}

function assertNamed(begun: KeyElsewhere, { dir, name, named }: NewKeyRequest): void {
  if (named === undefined || (begun.kind === "age" && resolve(begun.file) === resolve(named.file))) return;
  const message = `an earlier run has begun with ${describeKeyPlace(begun)}, and "${named.file}" is named now`;
  throw hostErrors.error("KEY_PLACE_TAKEN", message, {
    path: join(dir, `${name}.key.json`),
    fix: "name the same file, or none: the run goes on with the one that it has begun with",
  });
}
