import { type CertsSite, journalFileOf } from "../certs-site.ts";
import { introduce } from "../introduce.ts";
import type { KeyCeremony } from "../key-ceremony.ts";
import { PINNED } from "../pins.ts";
import { hostFiles } from "../store-files.ts";
import type { RotationContext } from "./context.ts";
import { rotationErrors } from "./errors.ts";
import type { Fleet } from "./fleet.ts";
import { type Journal, PHASES, type Phase, readJournal } from "./journal.ts";
import { type RotationRun, runRotation } from "./machine.ts";
import { type NamedCeremony, peopleOf } from "./people.ts";
import { rotationOf } from "./rotations.ts";
import { parseTarget, type Rotatable, renderTarget } from "./target.ts";

/** How a rotation of a deployment is run. */
export interface RotateOptions extends Pick<RotationRun, "clock" | "signal" | "limitSeconds" | "pollMs" | "onPhase"> {
  /** As `--what` has it; undefined goes on with the one that has begun. */
  readonly what: string | undefined;
  /** Who makes another key of an authority, and where. */
  readonly ceremony: NamedCeremony;
}

/** A rotation that is done. */
export interface Rotated {
  readonly what: string;
  /** Where the key is that signs nothing any more, when it is on a device or a medium: its owner destroys it. */
  readonly needlessKey: string | null;
}

/** What a rotation would do. */
export interface RotationOutline {
  readonly what: string;
  /** The phase that is at work, where it has begun. */
  readonly at: Phase | null;
  readonly phases: readonly { readonly phase: Phase; readonly says: string; readonly done: boolean }[];
  /** Components that take part. */
  readonly concerned: readonly string[];
}

/**
 * Rotates, or goes on where an earlier run stopped.
 * @throws ROTATION_NOTHING, ROTATION_TARGET_UNKNOWN, ROTATION_UNFINISHED, ROTATION_UNPROVEN, ROOT_KEY_ELSEWHERE, CEREMONY_NAME_INVALID,
 *   what making a key throws, and what the backend refuses with
 */
export async function rotateAt(site: CertsSite, options: RotateOptions): Promise<Rotated> {
  const journalFile = journalFileOf(site);
  const journal = readJournal(journalFile);
  const target = parseTarget(whatOf(options.what, journal), rotatable(site));
  const ceremony = { ...options.ceremony, ...peopleOf(options.ceremony, journal?.memo), pki: site.keyPlaces };
  const fleet = await site.fleet();
  const rotation = rotationOf(target, contextOf(site, fleet, ceremony));
  // A death may have left files that were written and not given to who reads them.
  site.handOver();
  const { oldKey = null } = await runRotation(rotation, {
    ...options,
    journalFile,
    files: hostFiles,
    apply: fleet.apply,
  });
  return { what: renderTarget(target), needlessKey: oldKey };
}

/**
 * What a rotation would do, or has left to do. Changes nothing, and asks nobody.
 * @throws ROTATION_NOTHING, ROTATION_TARGET_UNKNOWN
 */
export function outlineAt(site: CertsSite, what: string | undefined): RotationOutline {
  const journal = readJournal(journalFileOf(site));
  const target = parseTarget(whatOf(what, journal), rotatable(site));
  const text = renderTarget(target);
  const nobody = { pki: site.keyPlaces, conductor: "", witnesses: [], versions: {} };
  const rotation = rotationOf(target, contextOf(site, undefined, nobody));
  const at = journal?.what === text ? journal.phase : null;
  return {
    what: text,
    at,
    phases: PHASES.map((phase) => ({
      phase,
      says: rotation.phases[phase].says,
      done: at !== null && PHASES.indexOf(phase) < PHASES.indexOf(at),
    })),
    concerned: concernedBy(site, text),
  };
}

function whatOf(what: string | undefined, journal: Journal | undefined): string {
  const text = what ?? journal?.what;
  if (text === undefined) throw rotationErrors.error("ROTATION_NOTHING", "no rotation has begun", { path: "--what" });
  return text;
}

/** What of a deployment can be rotated by name. */
export function rotatable({ model, pki }: Pick<CertsSite, "model" | "pki">): Rotatable {
  const names = model.components.map(({ name }) => name);
  return {
    components: names.filter((name) => pki.leafFiles(name).length > 0),
    gateways: model.components.flatMap(({ name, secrets }) =>
      secrets.some((secret) => secret.name === "token") ? [name] : [],
    ),
  };
}

function concernedBy({ model }: CertsSite, what: string): readonly string[] {
  const [kind, name] = what.split(":");
  const having = (secret: string): readonly string[] =>
    model.components.filter(({ secrets }) => secrets.some((one) => one.name === secret)).map((one) => one.name);
  if (kind === "leaf" || kind === "token") return [name ?? ""];
  if (kind === "pin") return [...new Set([PINNED, ...having("broker.pins")])];
  return having(kind === "root" ? "ca.crt" : "tls.crt");
}

function contextOf(site: CertsSite, fleet: Fleet | undefined, ceremony: KeyCeremony): RotationContext {
  const { pki, secretFile, handOver } = site;
  const nobody = new Proxy({} as Fleet, {
    get: () => {
      throw new TypeError("an outline asks nobody");
    },
  });
  return {
    files: {
      ...hostFiles,
      write: (path, content) => {
        const changed = hostFiles.write(path, content);
        handOver();
        return changed;
      },
    },
    secretFile,
    fleet: fleet ?? nobody,
    ceremony,
    store: pki.store,
    converge: async (expired) => {
      const renewed = await pki.converge(expired);
      handOver();
      // A gateway's token is bound to its certificate.
      if (rotatable(site).gateways.some((name) => renewed.includes(name))) await introduce(site, await site.operator());
    },
    pins: pki.brokerKeys.read,
    dropPreviousPin: () => pki.brokerKeys.dropPrevious(),
    crls: pki.crls.own,
    leafFiles: pki.leafFiles,
    revoke: pki.revoke,
  };
}
