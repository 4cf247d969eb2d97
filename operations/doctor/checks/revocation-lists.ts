import { join } from "node:path";
import { type Crl, readCrl } from "../../../certs/crl.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Time left of a list at which it is a warning, and a problem: a broker without a valid list takes no client of that class. */
const WARN_MS = 96 * HOUR_MS;
const PROBLEM_MS = 72 * HOUR_MS;
/** Time left of the root's list at which its successor is made, and for how long before that is told. */
const ROOT_RENEWAL_MS = 30 * DAY_MS;
const ROOT_NOTICE_MS = 30 * DAY_MS;
const FOLDERS = ["authorities/crls", "authorities/crls/makers"];

/** A revocation list that this host publishes, or a file that holds none. */
export interface ListFacts {
  readonly file: string;
  /** Undefined for a file that cannot be read as one. */
  readonly list: Pick<Crl, "issuer" | "number" | "nextUpdate"> | undefined;
  /** Whether it is of a root whose key is not on this host. */
  readonly rootAway: boolean;
}

const { ok, bad } = findingsOf("certificates");

/** The lists that this host keeps up to date. The last one of a predecessor is kept as it is, and not looked at. */
export function gatherLists(machine: Machine, stateDir: string): readonly ListFacts[] {
  const files = FOLDERS.flatMap((folder) =>
    (machine.listFolder(join(stateDir, folder)) ?? [])
      .filter((name) => name.endsWith(".pem") && !name.endsWith(".old.pem"))
      .map((name) => join(folder, name)),
  );
  return files.map((file) => {
    const [, root] = /crls\/(root(?:\.next)?)\.pem$/.exec(file) ?? [];
    return {
      file,
      list: parse(machine.readText(join(stateDir, file))),
      rootAway: root !== undefined && isAway(machine, join(stateDir, "authorities"), root),
    };
  });
}

/** Whether every list is good for long enough, and who is needed so that it stays so. */
export function judgeLists(facts: readonly ListFacts[], now: Date): readonly DoctorFinding[] {
  if (facts.length === 0) return [];
  const findings = facts.flatMap((one) => judgeOne(one, now));
  return findings.length > 0 ? findings : [ok(`${facts.length} revocation lists are good for more than 96 h`)];
}

function judgeOne({ file, list, rootAway }: ListFacts, now: Date): readonly DoctorFinding[] {
  if (list === undefined) return [bad("problem", "DOCTOR_LIST_UNREADABLE", `"${file}" holds no revocation list`)];
  // Number 0 is for the start alone: from then on an online authority publishes that class's lists.
  if (list.number === 0n) return [];
  const left = list.nextUpdate.getTime() - now.getTime();
  const fix = rootAway ? `attach the root's key, then run \`${PUBLISH}\`` : undefined;
  if (left < WARN_MS) {
    const level = left < PROBLEM_MS ? "problem" : "warning";
    const when = left <= 0 ? `ended ${span(-left)} ago` : `ends in ${span(left)}`;
    return [bad(level, "DOCTOR_LIST_ENDING", `the list of "${list.issuer}" in "${file}" ${when}`, fix)];
  }
  const needed = left - ROOT_RENEWAL_MS;
  if (!rootAway || needed >= ROOT_NOTICE_MS) return [];
  const since = needed <= 0 ? `since ${span(-needed)}` : `in ${span(needed)}`;
  const message = `the key of "${list.issuer}" is not on this host, and is needed ${since} for its next revocation list; this one ends in ${span(left)}`;
  return [bad("warning", "DOCTOR_ROOT_KEY_NEEDED", message)];
}

const PUBLISH = "trustkern certs crl --publish";

function isAway(machine: Machine, authoritiesDir: string, root: string): boolean {
  const names = machine.listFolder(authoritiesDir) ?? [];
  return !names.includes(`${root}.key.age`);
}

function parse(text: string | undefined): Crl | undefined {
  try {
    return text === undefined ? undefined : readCrl(text);
  } catch {
    return undefined;
  }
}

function span(milliseconds: number): string {
  const hours = Math.floor(milliseconds / HOUR_MS);
  return hours >= 240 ? `${Math.floor(hours / 24)} d` : `${hours} h`;
}
