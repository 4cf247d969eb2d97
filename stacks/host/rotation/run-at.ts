import { type CertsSite, journalFileOf } from "../certs-site.ts";
import { hostErrors } from "../errors.ts";
import { PINNED } from "../pins.ts";
import { revokedNow } from "../revoked-gateways.ts";
import { hostFiles } from "../store-files.ts";
import { contextOf, logStep, nobodysCeremony } from "./context-of.ts";
import { rotationErrors } from "./errors.ts";
import { type Journal, PHASES, type Phase, readJournal } from "./journal.ts";
import { type Memo, type RotationRun, runRotation } from "./machine.ts";
import { type NamedCeremony, peopleOf } from "./people.ts";
import { rotatable } from "./rotatable.ts";
import { rotationOf } from "./rotations.ts";
import { assertSomebodyRuns } from "./running.ts";
import { parseTarget, type RotationTarget, renderTarget } from "./target.ts";

/** How a rotation of a deployment is run. */
export interface RotateOptions
  extends Pick<RotationRun, "clock" | "signal" | "limitSeconds" | "pollMs" | "onPhase" | "onWaiting"> {
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
 * @throws ROTATION_NOTHING, ROTATION_TARGET_UNKNOWN, ROTATION_UNFINISHED, ROTATION_NOT_RUNNING, ROTATION_UNPROVEN, ROOT_KEY_ELSEWHERE, CEREMONY_NAME_INVALID,
 *   what making a key throws, and what the backend refuses with
 */
export async function rotateAt(site: CertsSite, options: RotateOptions): Promise<Rotated> {
  const journalFile = journalFileOf(site);
  const journal = readJournal(journalFile);
  const target = targetAt(site, options.what, journal);
  const revoked = await revokedNow(site);
  assertNotRevoked(target, revoked, journal);
  const ceremony = { ...options.ceremony, ...peopleOf(options.ceremony, journal?.memo), pki: site.keyPlaces };
  const fleet = await site.fleet();
  const what = renderTarget(target);
  const rotation = rotationOf(target, contextOf(site, { fleet, revoked, ceremony }));
  const begin = async (): Promise<Memo> => {
    const memo = await rotation.begin();
    assertSomebodyRuns(await fleet.members());
    return memo;
  };
  if (journal !== undefined) assertSomebodyRuns(await fleet.members());
  // A death may have left files that were written and not given to who reads them.
  await site.handOver();
  const { oldKey = null } = await runRotation(
    { ...rotation, begin },
    {
      ...options,
      journalFile,
      files: hostFiles,
      apply: fleet.apply,
      onPhase: (phase, says) => {
        logStep(site, { what, reason: phase, user: options.ceremony.user });
        options.onPhase(phase, says);
      },
    },
  );
  return { what, needlessKey: oldKey };
}

/**
 * What a rotation would do, or has left to do. Changes nothing, and asks nobody.
 * @throws ROTATION_NOTHING, ROTATION_TARGET_UNKNOWN
 */
export function outlineAt(site: CertsSite, what: string | undefined): RotationOutline {
  const journal = readJournal(journalFileOf(site));
  const target = targetAt(site, what, journal);
  const text = renderTarget(target);
  const asked = { fleet: undefined, revoked: new Set<string>(), ceremony: nobodysCeremony(site) };
  const rotation = rotationOf(target, contextOf(site, asked));
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

/** A rotation that has begun may be of a component that the deployment has not any more. */
function targetAt(site: CertsSite, what: string | undefined, journal: Journal | undefined): RotationTarget {
  const text = whatOf(what, journal);
  try {
    return parseTarget(text, rotatable(site));
  } catch (cause) {
    if (journal?.what !== text) throw cause;
    throw rotationErrors.error(
      "ROTATION_TARGET_UNKNOWN",
      `a rotation of ${text} has begun, and the deployment has none`,
      {
        path: "--what",
        fix: "give it up with `trustkern certs rotate --abandon`",
        cause,
      },
    );
  }
}

function assertNotRevoked(target: RotationTarget, revoked: ReadonlySet<string>, journal: Journal | undefined): void {
  const name = target.kind === "leaf" ? target.component : target.kind === "token" ? target.gateway : "";
  if (!revoked.has(name)) return;
  const begun = journal?.what === renderTarget(target);
  throw hostErrors.error("GATEWAY_REVOKED", `${name} is revoked for good`, {
    path: "--what",
    ...(begun ? { fix: "give the rotation up with `trustkern certs rotate --abandon`" } : {}),
  });
}

function concernedBy({ model }: CertsSite, what: string): readonly string[] {
  const [kind, name] = what.split(":");
  const having = (secret: string): readonly string[] =>
    model.components.filter(({ secrets }) => secrets.some((one) => one.name === secret)).map((one) => one.name);
  if (kind === "leaf" || kind === "token") return [name ?? ""];
  if (kind === "pin") return [...new Set([PINNED, ...having("broker.pins")])];
  return having(kind === "root" ? "ca.crt" : "tls.crt");
}
