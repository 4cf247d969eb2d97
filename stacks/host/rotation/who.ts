import { readFileSync } from "node:fs";
import { LEAF_CLASSES, type LeafClass, NAME_PREFIX } from "../../../certs/names.ts";
import { type CertsSite, journalFileOf } from "../certs-site.ts";
import { fingerprintsOf } from "../pem.ts";
import { renderPins } from "../pins.ts";
import type { Member } from "./fleet.ts";
import { type Journal, PHASES, readJournal } from "./journal.ts";
import { followsFiles, type Replacement, replacementOf, type Use, useOf } from "./old-and-new.ts";

/** One component, and what it has in force. */
export interface ComponentUse {
  readonly name: string;
  readonly anchors: Use;
  readonly certificates: Use;
  readonly pins: Use;
  /** Of an online authority: the certificate that it issues with. */
  readonly issuer: Use;
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
  const replaced = (name: string): Replacement | undefined =>
    replacementOf(name, (each) => fingerprintsOf(pki.store.read(each) ?? "")[0]);
  const root = replaced("root");
  const issuerUse = (name: string, authority: Member["authority"]): Use =>
    issuerOf(name, authority, replaced, (each) => pki.store.fingerprint(each));
  const components = members.map(({ name, ...has }) => ({
    name,
    anchors: anchorsOf(has.anchors, issuerUse(name, has.authority), root, anchors),
    issuer: issuerUse(name, has.authority),
    certificates: ofRotation(
      name,
      has.elsewhere
        ? followsFiles(shownBy(has), () => [pki.store.fingerprint("gateways")], false)
        : followsFiles(
            has.certificates,
            () => pki.leafFiles(name).flatMap((file) => fingerprintsOf(readFileSync(file, "utf8")).slice(0, 1)),
            false,
          ),
      journal,
    ),
    pins: followsFiles(
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

/**
 * An online authority says nothing of its anchors: one that issues with the certificate in its files, while no root is being replaced, has
 * what the last rotation proved.
 */
function anchorsOf(has: Member["anchors"], issuer: Use, root: Replacement | undefined, files: readonly string[]): Use {
  if (root !== undefined) return useOf(has, root);
  return has === undefined && issuer === "current" ? "current" : followsFiles(has, () => files, true);
}

function issuerOf(
  name: string,
  authority: Member["authority"],
  replaced: (name: string) => Replacement | undefined,
  fingerprint: (leafClass: LeafClass) => string,
): Use {
  const leafClass = LEAF_CLASSES.find((each) => name === `${each}-ca`);
  if (leafClass === undefined) return "none";
  const replacement = replaced(leafClass);
  return replacement === undefined
    ? followsFiles(authority, () => [fingerprint(leafClass)], false)
    : useOf(authority, replacement);
}

/** Until leaves are issued anew everybody concerned shows an old one, although it is the one in its file. */
function ofRotation(name: string, use: Use, journal: Journal | undefined): Use {
  if (journal === undefined || use !== "current") return use;
  const [kind, of = ""] = journal.what.split(":");
  const ofClass = name.startsWith(NAME_PREFIX.gateways) ? "gateways" : "services";
  const concerned = kind === "root" || (kind === "intermediate" && of === ofClass) || (kind === "leaf" && of === name);
  if (!concerned) return use;
  return PHASES.indexOf(journal.phase) < PHASES.indexOf("prove-use") ? "old" : "new";
}
