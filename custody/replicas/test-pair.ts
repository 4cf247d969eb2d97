import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditLog } from "../audit/log.ts";
import { aesKeyWrap } from "../backends/wrapped/key-wrap.ts";
import { openWrappedKeys } from "../backends/wrapped/wrapped-keys.ts";
import { openKeyring } from "../keyring/keyring.ts";
import type { FollowAnswer } from "./answer.ts";
import { openFollower } from "./follower.ts";
import { openWriter } from "./writer.ts";

const FACTS = { kind: "vault", custodyClass: "software", keysInUse: "in-memory", where: "vault:test" } as const;

/** Custodies of a test: folders of their own, and a wrapping key that they share. */
export interface TestCustodies {
  /** A folder of a custody. */
  readonly at: (name: string) => string;
  /** Opens a custody that writes. Another `wrapping` key is another service's. */
  readonly writer: (name?: string, changes?: CustodyChanges) => Promise<TestWriter>;
  readonly follower: (name?: string, changes?: CustodyChanges) => Promise<TestFollower>;
  /** Milliseconds that both clocks are ahead by now. */
  readonly pass: (ms: number) => void;
  readonly remove: () => void;
}

/** What is different about one. */
export interface CustodyChanges {
  readonly tenant?: string;
  readonly wrapping?: Buffer;
}

/** One that writes. */
export type TestWriter = Awaited<ReturnType<typeof openTestWriter>>;

/** One that follows. */
export type TestFollower = Awaited<ReturnType<typeof openTestFollower>>;

interface Place {
  readonly folder: string;
  readonly wrapping: Buffer;
  readonly tenant: string;
  readonly wallMs: () => number;
}

/** Makes the folder. */
export function testCustodies(): TestCustodies {
  const root = mkdtempSync(join(tmpdir(), "tk-pair-"));
  const shared = randomBytes(32);
  let aheadMs = 0;
  const at = (name: string): string => join(root, name);
  const placeOf = (name: string, { tenant = "acme", wrapping = shared }: CustodyChanges): Place => ({
    ...{ folder: at(name), tenant, wrapping, wallMs: () => Date.now() + aheadMs },
  });
  return {
    at,
    writer: (name = "custody-0", changes = {}) => openTestWriter(placeOf(name, changes)),
    follower: (name = "custody-1", changes = {}) => openTestFollower(placeOf(name, changes)),
    pass: (ms) => {
      aheadMs += ms;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function openParts({ folder, wrapping, wallMs }: Place) {
  const clock = () => new Date(wallMs());
  const wrap = aesKeyWrap(Buffer.from(wrapping));
  const store = await openWrappedKeys({ folder: join(folder, "keys"), wrap, facts: FACTS, shared: true });
  const audit = await openAuditLog({ folder: join(folder, "audit"), signer: store.signer, clock, limitMs: 30_000 });
  const close = async (keyring: { readonly close: () => Promise<void> }): Promise<void> => {
    await keyring.close();
    await audit.close();
    await store.close();
  };
  return { store, audit, clock, close, stateFolder: join(folder, "state") };
}

async function openTestWriter(place: Place) {
  const { tenant } = place;
  const { store, audit, clock, close, stateFolder } = await openParts(place);
  const keyring = await openKeyring({ tenant, store, audit, folder: stateFolder, clock }).catch(closing(close));
  const answer = await openWriter({ tenant, store, audit, keyring });
  return { keyring, store, audit, answer, close: () => close(keyring) };
}

async function openTestFollower(place: Place) {
  const { store, audit, close, stateFolder } = await openParts(place);
  const follower = await openFollower({
    ...{ tenant: place.tenant, store, audit, folder: stateFolder, writer: "custody-0", followSeconds: 60 },
    clocks: { monotonicMs: () => performance.now(), wallMs: place.wallMs },
  }).catch(closing(close));
  /** Asks a writer, and takes its answer, as somebody between them passes it on. */
  const followFrom = async (
    writer: Pick<TestWriter, "answer">,
    between: (answer: FollowAnswer) => FollowAnswer | Promise<FollowAnswer> = (answer) => answer,
  ): Promise<void> => follower.follow(await between(await writer.answer(follower.question())));
  return { ...follower, followFrom, store, audit, close: () => close(follower.keyring) };
}

/** Lets go of what a failed opening has opened. */
function closing(close: (keyring: { readonly close: () => Promise<void> }) => Promise<void>) {
  return async (thrown: unknown): Promise<never> => {
    await close({ close: async () => undefined });
    throw thrown;
  };
}
