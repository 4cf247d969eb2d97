import type { Finding } from "../../../shared/finding.ts";
import type { CheckId } from "../checks.ts";
import type { CheckResult } from "../result.ts";
import type { Hit } from "../search/search.ts";
import { dataErrors } from "./errors.ts";
import type { Look } from "./look.ts";
import type { RowCount } from "./message/stored.ts";
import type { Unwell } from "./unwell.ts";

/** The checks of the layer that search places for the plaintext. */
export type PlaceCheck = Exclude<Extract<CheckId, `data.${string}`>, "data.stored">;

/** What became of one marked message. */
export interface Delivery {
  readonly gateway: string;
  /** Answer of the gateway, such as `2.04`, or why there was none. */
  readonly answer: string;
  /** Whether the gateway has the collector's receipt. */
  readonly receipt: boolean;
  /** What the database holds of it, or why it could not be asked. */
  readonly stored: RowCount | string;
}

/** All that the layer saw. */
export interface DataObservation {
  /** Why no message could be sent at all; null where each gateway was tried. */
  readonly unsent: string | null;
  readonly deliveries: readonly Delivery[];
  /** Gateways that run on other machines, whose files nobody here can look at. */
  readonly elsewhere: readonly string[];
  /** Components that were not well, or not the same, for all of the time. */
  readonly unwell: readonly Unwell[];
  readonly looks: Readonly<Record<PlaceCheck, Look>>;
  /** What was expected to be met in a place, and was not: then the place was not looked at as it must be. */
  readonly missed: Readonly<Partial<Record<PlaceCheck, readonly string[]>>>;
  /** Places inside the boundary where the plaintext is, as it may. */
  readonly inside: readonly string[];
  /** What becomes of the sensor and the row, in words. */
  readonly aftermath: string;
}

const ACKNOWLEDGED = "2.04";

/** What each place is, in the words of the results. */
const PLACES: Readonly<Record<PlaceCheck, string>> = {
  "data.broker": "files of the broker",
  "data.gateway": "files of gateways",
  "data.operations": "files of components of operations",
  "data.logs": "logs and answers of Loki",
  "data.metrics": "answers and files of Prometheus",
  "data.traffic": "captures",
  "data.engine": "files and descriptions of the engine",
};

/** Whose files, lines, packets and descriptions a place is made of: of one that was not well all the time it says nothing. */
const DEPENDS_ON: Readonly<Record<PlaceCheck, (unwell: Unwell) => boolean>> = {
  "data.broker": ({ zone }) => zone === "ingress",
  "data.gateway": ({ zone }) => zone === "edge" || zone === "device",
  "data.operations": ({ zone }) => zone === "operations",
  "data.logs": () => true,
  "data.metrics": () => true,
  "data.traffic": () => true,
  "data.engine": () => true,
};

/**
 * The results of the layer, one for each check, from what was seen.
 * @param reported checks that the profile lets be reported as not proven. @default none
 * @param words what places are called, where an engine has others. @default none
 */
export function judgeData(
  seen: DataObservation,
  reported: readonly string[] = [],
  words: Readonly<Partial<Record<PlaceCheck, string>>> = {},
): readonly CheckResult[] {
  const places = Object.keys(PLACES) as PlaceCheck[];
  const called = { ...PLACES, ...words };
  return [judgeStored(seen), ...places.map((id) => judgePlace(id, called[id], seen, reported))];
}

function judgeStored({ unsent, deliveries, unwell, inside, aftermath }: DataObservation): CheckResult {
  const id = "data.stored";
  const notProven = (why: string): CheckResult => ({ id, outcome: "not-proven", seen: why, findings: [] });
  const findings = deliveries.flatMap((delivery) => storedFindings(delivery, unwell));
  if (findings.length > 0) {
    const wrong = `${findings.length} of ${deliveries.length} marked messages were not stored once and whole`;
    return { id, outcome: "broken", seen: `${wrong}; ${aftermath}`, findings };
  }
  if (unsent !== null) return notProven(unsent);
  const open = deliveries.flatMap((delivery) => whyOpen(delivery, unwell));
  if (open.length > 0 || deliveries.length === 0) return notProven([...open, aftermath].join("; "));
  const where = inside.length === 0 ? "" : `; inside the boundary it also lies in ${inside.join(", ")}`;
  const through = `through ${deliveries.map(({ gateway }) => gateway).join(", ")}`;
  const stored = `${count(deliveries.length, "marked message")} ${through} decrypted and stored once`;
  return { id, outcome: "proven", seen: `${stored}${where}; ${aftermath}`, findings: [] };
}

/** What is wrong with a message that the gateway took. One that has no row is lost only where everything on its way is well. */
function storedFindings({ gateway, answer, stored }: Delivery, unwell: readonly Unwell[]): readonly Finding[] {
  if (answer !== ACKNOWLEDGED || typeof stored === "string") return [];
  const path = `gateways.${gateway}`;
  if (stored.rows > 1) return [finding("DATA_STORED_TWICE", path, `the message is in ${stored.rows} rows`)];
  if (stored.rows === 1 && stored.whole === 0)
    return [finding("DATA_STORED_DIFFERENT", path, "the row holds something else than the sensor measured")];
  if (stored.rows === 0 && unwell.length === 0)
    return [finding("DATA_NOT_STORED", path, "the gateway took the message, and no row holds it")];
  return [];
}

function whyOpen({ gateway, answer, stored }: Delivery, unwell: readonly Unwell[]): readonly string[] {
  if (answer !== ACKNOWLEDGED) return [`${gateway} did not take the message: ${answer}`];
  if (typeof stored === "string") return [`the database could not be asked: ${stored}`];
  return stored.rows === 0
    ? [`the message through ${gateway} is not stored, and ${unwell.map(inWords).join(", ")}`]
    : [];
}

function judgePlace(id: PlaceCheck, place: string, seen: DataObservation, reported: readonly string[]): CheckResult {
  const { searched, old, hits, unread, blind } = seen.looks[id];
  const looked = `${searched} ${searched === 1 ? place.replace("files", "file") : place} searched${old === 0 ? "" : `, ${old} more untouched since it was made`}`;
  if (hits.length > 0) return { id, outcome: "broken", seen: looked, findings: leaks(id, hits) };
  const open = [
    ...unhandled(id, seen),
    ...seen.unwell.filter(DEPENDS_ON[id]).map(inWords),
    ...(seen.missed[id] ?? []),
    ...unread.map((what) => `not looked at: ${what}`),
    ...blind.map((way) => `the search misses what it planted itself: ${way}`),
    ...(searched + old === 0 ? ["there was nothing to look at"] : []),
  ];
  if (open.length > 0) return { id, outcome: "not-proven", seen: `${looked}; ${open.join("; ")}`, findings: [] };
  if (id === "data.gateway" && seen.elsewhere.length > 0) {
    const away = `${seen.elsewhere.join(", ")} run${seen.elsewhere.length === 1 ? "s" : ""} elsewhere, and the files there were not looked at`;
    const result = { id, outcome: "not-proven", seen: `${looked}; ${away}`, findings: [] } as const;
    return reported.includes(id) ? { ...result, reportOnly: true } : result;
  }
  return { id, outcome: "proven", seen: looked, findings: [] };
}

/** What did not handle the message has no reason to hold it: to find nothing there says nothing. */
function unhandled(id: PlaceCheck, { unsent, deliveries }: DataObservation): readonly string[] {
  if (unsent !== null) return [unsent];
  return deliveries.flatMap(({ gateway, answer, receipt }) => {
    if (answer !== ACKNOWLEDGED) return [`${gateway} did not take the message: ${answer}`];
    const behind = id !== "data.gateway" && !receipt;
    return behind ? [`the message through ${gateway} has no receipt: nothing says that it came further`] : [];
  });
}

function leaks(id: PlaceCheck, hits: readonly Hit[]): readonly Finding[] {
  const byPlace = Map.groupBy(hits, ({ place }) => place);
  return [...byPlace].map(([place, found]) => {
    const forms = [...new Set(found.map(({ form }) => form))].join(", ");
    const message = `the plaintext of ${found[0]?.canary} is there (${forms})`;
    return finding("DATA_PLAINTEXT_OUTSIDE", place, message, FIXES[id]);
  });
}

const FIXES: Readonly<Record<PlaceCheck, string>> = {
  "data.broker":
    "stop the broker, find out who published it in the clear, and remove the file before it is started again",
  "data.gateway":
    "take the gateway out with `trustkern gateway revoke`: a gateway that can read messages has a key that it must not have",
  "data.operations": "stop the component, find out who sent it there, and remove the file before it is started again",
  "data.logs": "find the program that logs messages, replace its image, and let the lines end with their retention",
  "data.metrics": "find the program that makes a metric of messages, and replace its image",
  "data.traffic": "find out which two programs speak there without TLS; `trustkern diagram` names the flows",
  "data.engine": "move it out of the state directory, and find out who wrote it there",
};

function finding(
  code: keyof typeof dataErrors.entries,
  path: string,
  message: string,
  fix: string = dataErrors.entries[code].fix,
): Finding {
  return { code, path, message, fix };
}

function inWords({ component, why }: Unwell): string {
  return `${component} ${why}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
