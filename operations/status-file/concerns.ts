import type { StatusFile } from "./schema.ts";

/** Less than this is little room on a disk. */
const LEAST_FREE = 0.1;

/** States of a certificate that is, or will be, renewed in time. */
const FINE: readonly string[] = ["ok", "due"];

/**
 * Everything in a status file that wants looking at, a sentence each; nothing where all is well. The file holds no verdict of its
 * own that could differ from this one.
 * @param at when it is read: certificates may have ended since
 */
export function concernsOf(status: StatusFile, at: Date): readonly string[] {
  const { components, custody, keys, certificates, disks, unknown } = status;
  const keysKnown = unknown.every(({ fact }) => fact !== "keys");
  return [
    ...components
      .filter(({ condition }) => condition !== "healthy" && condition !== "done")
      .map(({ name, condition }) => `${name} is ${condition}`),
    ...components.filter(({ changed }) => changed).map(({ name }) => `${name} differs from what was deployed`),
    ...(custody.sealed === null ? ["custody does not answer"] : []),
    ...(custody.sealed === true ? ["custody is sealed: nothing is opened"] : []),
    ...(keysKnown && keys.every(({ state }) => state !== "active") ? ["no decryption key is active"] : []),
    ...certificates.flatMap(({ class: of, name, state, notAfter }) => {
      if (!FINE.includes(state)) return [`a certificate of ${name} (${of}) is ${state}`];
      return Date.parse(notAfter) < at.getTime()
        ? [`a certificate of ${name} (${of}) has ended since, unless it was renewed`]
        : [];
    }),
    ...disks.flatMap(({ what, freeShare }) => {
      if (freeShare === null) return [`the disk of ${DISK_WORDS[what]} is not known`];
      const percent = Math.round(freeShare * 100);
      return freeShare < LEAST_FREE ? [`the disk of ${DISK_WORDS[what]} has ${percent} % free`] : [];
    }),
    ...unknown.map(({ fact, code }) => `${fact} did not answer: ${code}`),
  ];
}

const DISK_WORDS = { state: "the state directory", engine: "the Docker Engine" } as const;
