import { join } from "node:path";
import { parseState } from "../../../custody/keyring/state.ts";
import { corruptState, stateFileIn } from "../../../custody/keyring/state-file.ts";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { type ListedGeneration, MANAGE_MS } from "../custody-management.ts";
import type { Layout } from "../layout.ts";
import { type KeyJournal, readKeyJournal } from "./journal.ts";
import type { SensorKeyUse } from "./key-use.ts";
import { destroyableAt, planSchedule, type ScheduledStep } from "./schedule.ts";
import type { OpenGenerations } from "./site.ts";

/** One generation, and who uses it. */
export interface ShownGeneration {
  readonly keyId: string;
  /** Raw X25519, lower-case hex. */
  readonly publicKey: string;
  readonly state: string;
  readonly origin: string;
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  readonly notBefore: string;
  readonly activatedAt: string | null;
  readonly retiredAt: string | null;
  readonly destroyedAt: string | null;
  /** From when on it may be destroyed; null where no day is set. */
  readonly destroyableAt: string | null;
  readonly compromised: { readonly at: string; readonly reason: string; readonly stored: string } | null;
  /** Sensors whose newest message is encrypted to it; null where the collector did not say. */
  readonly sensors: number | null;
}

/** Everything that can be known of a deployment's keys. */
export interface KeysOverview {
  readonly sealed: boolean;
  /** While it is sealed: `started` or `ordered`. */
  readonly sealedBecause: string | null;
  /** Whether custody holds the generations against its log and its store; false while it is sealed. */
  readonly verified: boolean;
  /** What protects the keys; null while it is sealed. */
  readonly store: {
    readonly kind: string;
    readonly custodyClass: string;
    readonly keysInUse: string;
    readonly where: string;
  } | null;
  /** Packages of ceremonies are sealed to it. */
  readonly importKey: { readonly keyId: string; readonly publicKey: string } | null;
  readonly generations: readonly ShownGeneration[];
  /** Whether `generations` are all that there are; false while custody is sealed and its files are on no disk of this machine. */
  readonly listed: boolean;
  readonly rotation: KeyJournal | null;
  readonly schedule: readonly ScheduledStep[];
  /** Each sensor that is not revoked; null where the collector did not say. */
  readonly sensors: readonly SensorKeyUse[] | null;
  /** Why something is not known. */
  readonly unknown: readonly string[];
}

type Known = Pick<KeysOverview, "importKey"> & { readonly listed: readonly ListedGeneration[] };

/**
 * Looks at a deployment's keys and changes nothing. While custody is sealed, its generations are read from its state file, which
 * holds no secret, and which nobody has held against the audit log since.
 * @param layout where its state file is; undefined where that is on no disk of this machine
 * @throws GRPC_UNREACHABLE, KEYS_JOURNAL_CORRUPT, CUSTODY_STATE_CORRUPT
 */
export async function keysOverview(
  { place, management }: Pick<OpenGenerations, "place" | "management">,
  layout: Pick<Layout, "volumesDir"> | undefined,
): Promise<KeysOverview> {
  const { sealed, sealedBecause, store } = await management.call("health", {}, MANAGE_MS);
  const unknown: string[] = [];
  const known = sealed ? await ofStateFile(layout) : await ofCustody({ place, management });
  const { importKey, listed } = known ?? { importKey: null, listed: [] };
  if (known === undefined) unknown.push("the generations: custody is sealed, and its files are in its pod");
  const sensors = await place.keyUse().catch((thrown: unknown) => {
    if (!(thrown instanceof TrustKernError)) throw thrown;
    unknown.push(`who uses which key: ${messageOf(thrown)}`);
    return null;
  });
  const used = (keyId: string): number | null => sensors?.filter(({ key_id }) => key_id === keyId).length ?? null;
  return {
    sealed,
    sealedBecause: sealedBecause ?? null,
    verified: !sealed,
    store: store ? factsOf(store) : null,
    importKey,
    generations: listed.map((each) => shown(each, destroyableAt(each, place.schedule), used(each.keyId))),
    listed: known !== undefined,
    rotation: readKeyJournal(place.journalFile) ?? null,
    schedule: planSchedule(listed, place.schedule, place.clock()),
    sensors,
    unknown,
  };
}

function factsOf({ kind, custodyClass, keysInUse, where }: NonNullable<KeysOverview["store"]>): KeysOverview["store"] {
  return { kind, custodyClass, keysInUse, where };
}

async function ofCustody({ place, management }: Pick<OpenGenerations, "place" | "management">): Promise<Known> {
  const { keyId, publicKey } = await management.call("importKey", {}, MANAGE_MS);
  return { importKey: { keyId, publicKey: hex(publicKey) }, listed: await place.custody.list() };
}

async function ofStateFile(layout: Pick<Layout, "volumesDir"> | undefined): Promise<Known | undefined> {
  if (layout === undefined) return undefined;
  const file = stateFileIn(join(layout.volumesDir, "custody", "state"));
  const text = await file.read();
  if (text === null) return { importKey: null, listed: [] };
  const state = parseState(text);
  if ("defect" in state) throw corruptState(file.path, state.defect);
  const { importKey, generations } = state;
  const listed = generations.map(({ publicKey, ...each }) => ({ ...each, publicKey: Buffer.from(publicKey, "hex") }));
  return { importKey, listed };
}

function shown(generation: ListedGeneration, destroyable: string | null, sensors: number | null): ShownGeneration {
  const { keyId, publicKey, state, origin, createdAt, notBefore, compromised } = generation;
  const { activatedAt = null, retiredAt = null, destroyedAt = null } = generation;
  return {
    ...{ keyId, publicKey: hex(publicKey), state, origin, createdAt, notBefore, activatedAt, retiredAt, destroyedAt },
    destroyableAt: destroyable,
    compromised: compromised ? { at: compromised.at, reason: compromised.reason, stored: compromised.stored } : null,
    sensors,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
