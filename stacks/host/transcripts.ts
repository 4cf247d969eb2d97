import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { followUpTranscript } from "../../certs/ceremony/follow-up.ts";
import { transcriptDigest, verifyTranscript } from "../../certs/ceremony/transcript.ts";
import { type AuthorityInUse, authoritiesInUse, transcriptId } from "./authorities-in-use.ts";
import { describeKeyPlace, isKeyElsewhere, readKeyPlace } from "./authority-key.ts";
import type { KeyCeremony } from "./key-ceremony.ts";
import { rootSigner } from "./root-key.ts";
import type { StoreFiles } from "./store-files.ts";

/** What keeping the transcripts of a deployment needs. */
export interface TranscriptsRequest {
  /** The authorities' folder. */
  readonly dir: string;
  readonly tenant: string;
  readonly clock: () => Date;
  readonly files: StoreFiles;
}

/** The transcripts of a deployment whose root's key a ceremony made; every other one has none. */
export interface Transcripts {
  /** Signs the one that will be true once the successor of a class is in its place. */
  readonly prepare: (leafClass: string, certPem: string, ceremony: KeyCeremony) => Promise<void>;
  /** Puts the prepared one in place, where there is one. */
  readonly promote: () => void;
  /** Forgets the prepared one. */
  readonly drop: () => void;
  /**
   * Signs one about the authorities in use, with one more where it is given, unless the one that is there is true of all.
   * @param made authorities whose keys the ceremony made, by their names in transcripts
   */
  readonly settle: (
    made: readonly string[],
    ceremony: KeyCeremony,
    more?: { readonly name: string; readonly certPem: string },
  ) => Promise<void>;
}

/** The transcripts in a folder: `transcript.jws`, and those before it in `transcripts/`. */
export function transcriptsIn({ dir, tenant, clock, files }: TranscriptsRequest): Transcripts {
  const [current, next] = [join(dir, "transcript.jws"), join(dir, "transcript.next.jws")];
  const read = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8").trim() : undefined);

  const sign = async (
    authorities: readonly (AuthorityInUse & { readonly certPem: string })[],
    made: readonly string[],
    { conductor, witnesses, versions }: KeyCeremony,
  ): Promise<string> => {
    const root = await rootSigner(dir, "root");
    const entries = authorities.map(({ id, name, certPem }) => ({ id, certPem, key: whereIs(dir, name) }));
    const now = clock();
    const people = { conductor, witnesses, versions };
    return followUpTranscript({ ...people, tenant, now, root, authorities: entries, made, before: read(current) });
  };
  const put = (jws: string): void => {
    const before = read(current);
    if (before === jws) return;
    if (before !== undefined) files.write(join(dir, "transcripts", `${transcriptDigest(before)}.jws`), `${before}\n`);
    files.write(current, `${jws}\n`);
  };
  const inUse = (): readonly (AuthorityInUse & { readonly certPem: string })[] =>
    authoritiesInUse(dir).map((each) => ({ ...each, certPem: readFileSync(join(dir, `${each.name}.crt`), "utf8") }));

  return {
    async prepare(leafClass, certPem, ceremony) {
      if (!isKeyElsewhere(dir, "root")) return;
      const successor = { id: leafClass, name: `${leafClass}.next`, certPem };
      const authorities = inUse().map((each) => (each.id === leafClass ? successor : each));
      files.write(next, `${await sign(authorities, [leafClass], ceremony)}\n`);
    },
    promote() {
      const jws = read(next);
      if (jws !== undefined) put(jws);
      files.remove(next);
    },
    drop: () => files.remove(next),
    async settle(made, ceremony, more) {
      if (!isKeyElsewhere(dir, "root")) return;
      const extra = more === undefined ? [] : [{ ...more, id: transcriptId(more.name) }];
      const authorities = [...inUse(), ...extra];
      const [root] = authorities;
      const certificates = Object.fromEntries(authorities.map(({ id, certPem }) => [id, certPem]));
      const check = { jws: read(current) ?? "", rootPem: root?.certPem ?? "", certificates };
      if ((await verifyTranscript(check)).length > 0) put(await sign(authorities, made, ceremony));
    },
  };
}

function whereIs(dir: string, name: string): string {
  return isKeyElsewhere(dir, name)
    ? describeKeyPlace(readKeyPlace(dir, name))
    : `file:${name.replace(".next", "")}.key`;
}
