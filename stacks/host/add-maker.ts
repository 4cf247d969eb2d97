import { existsSync } from "node:fs";
import { join } from "node:path";
import { assertMaker } from "../../certs/names.ts";
import { ONLINE_CLASSES, stepCaComponent } from "../../certs/step-ca/names.ts";
import { type CertsSite, journalFileOf } from "./certs-site.ts";
import { hostErrors } from "./errors.ts";
import { readJournal } from "./rotation/journal.ts";
import { unfinished } from "./rotation/machine.ts";
import { type NamedCeremony, peopleOf } from "./rotation/people.ts";

/** An authority of a maker that was made. */
export interface MakerAuthority {
  /** Its certificate, PEM. */
  readonly file: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly sha256: string;
}

/**
 * Has the root sign an authority for the devices of one more maker, and whoever has to know of it take it: done again after a
 * death, it goes on. The transcript of before is followed by one that has the maker too.
 * @throws CERT_NAME_INVALID, AUTHORITIES_EXIST when the maker has one, ROTATION_UNFINISHED, ROOT_KEY_ELSEWHERE,
 *   CEREMONY_NAME_INVALID, KEY_PLACE_TAKEN, and every SIGNER_ code
 */
export async function addMakerAt(site: CertsSite, maker: string, named: NamedCeremony): Promise<MakerAuthority> {
  const { pki, layout } = site;
  assertMaker(maker);
  const file = join(layout.authoritiesDir, "makers", `${maker}.crt`);
  if (isDone(site, maker, file)) {
    throw hostErrors.error("AUTHORITIES_EXIST", `maker ${maker} has an authority`, { path: file });
  }
  const rotation = readJournal(journalFileOf(site));
  if (rotation !== undefined) {
    throw unfinished(rotation, journalFileOf(site));
  }
  await pki.store.addMaker(maker, { ...named, ...peopleOf(named, undefined), pki: site.keyPlaces });
  await pki.converge();
  await site.handOver();
  const online = ONLINE_CLASSES.map(stepCaComponent).filter((name) =>
    site.model.components.some((component) => component.name === name),
  );
  if (online.length > 0) await (await site.fleet()).apply(online);
  return { file, sha256: pki.store.fingerprint(`makers/${maker}`) };
}

/** An authority without a revocation list is one that a run made which then died. */
function isDone({ layout }: CertsSite, maker: string, file: string): boolean {
  return existsSync(file) && existsSync(join(layout.authoritiesDir, "crls", "makers", `${maker}.pem`));
}
