import { readFileSync } from "node:fs";
import { type CertsSite, journalFileOf } from "../certs-site.ts";
import { fingerprintsOf } from "../pem.ts";
import { renderPins } from "../pins.ts";
import type { Member } from "./fleet.ts";
import { readJournal } from "./journal.ts";

/** Whether a component has in force what its files say: `old` also for one that still accepts more. */
export type Use = "current" | "old" | "unknown" | "none";

/** One component, and what it has in force. */
export interface ComponentUse {
  readonly name: string;
  readonly anchors: Use;
  readonly certificates: Use;
  readonly pins: Use;
}

/** Who still uses what is being replaced. */
export interface UseReport {
  /** The rotation that has begun and is not done. */
  readonly rotation: { readonly what: string; readonly phase: string; readonly startedAt: string } | null;
  readonly components: readonly ComponentUse[];
}

/** Asks every component, and the backend about gateways elsewhere, what it has in force, and holds it against its files. */
export async function whoUsesOld(site: CertsSite): Promise<UseReport> {
  const { pki, secretFile } = site;
  const journal = readJournal(journalFileOf(site));
  const members = await (await site.fleet()).members();
  const anchors = pki.store.anchors().flatMap(fingerprintsOf);
  const components = members.map(({ name, ...has }) => ({
    name,
    anchors: useOf(has.anchors, () => anchors, true),
    certificates: has.elsewhere
      ? useOf(shownBy(has), () => [pki.store.fingerprint("gateways")], false)
      : useOf(
          has.certificates,
          () => pki.leafFiles(name).flatMap((file) => fingerprintsOf(readFileSync(file, "utf8")).slice(0, 1)),
          false,
        ),
    pins: useOf(
      has.pins,
      () =>
        pinsOf(
          has.elsewhere ? renderPins(pki.brokerKeys.read()) : readFileSync(secretFile(name, "broker.pins"), "utf8"),
        ),
      true,
    ),
  }));
  const rotation =
    journal === undefined ? null : { what: journal.what, phase: journal.phase, startedAt: journal.startedAt };
  return { rotation, components };
}

/** Of a gateway elsewhere the authority of its leaf is known, and not which leaves it has. */
function shownBy({ elsewhere }: Pick<Member, "elsewhere">): readonly string[] | undefined {
  return elsewhere?.authority === undefined ? undefined : [elsewhere.authority];
}

function pinsOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

function useOf(has: Member["anchors"], wanted: () => readonly string[], exact: boolean): Use {
  if (has === "none") return "none";
  if (has === undefined) return "unknown";
  const files = wanted();
  const all = files.every((one) => has.includes(one));
  return all && (!exact || has.length === files.length) ? "current" : "old";
}
