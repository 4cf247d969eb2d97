import { spawn } from "node:child_process";
import { createPublicKey, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generateHybridIdentity } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyAuditLog } from "../../custody/audit/verify.ts";
import { GENERATION_STATES, type Generation, type GenerationState } from "../../custody/generation.ts";
import { openKeyring } from "../../custody/keyring/keyring.ts";
import { activeOf, opens } from "../../custody/keyring/test-support.ts";
import type { ChangeName, Dying } from "./custody/dying-keyring.ts";
import { IDENTITY, type KeyringParts, openParts } from "./custody/keyring-parts.ts";

const PROGRAM = fileURLToPath(new URL("custody/dying-keyring.ts", import.meta.url));
/**
 * System calls that change what is on the disk, and how many one thread makes while each change is made once: of two, since
 * the pool has one alone.
 */
const CALLS = { rename: 7, fsync: 8, write: 20, pwrite64: 28, unlink: 1 } as const;
const ONE_IN_POOL = { ...process.env, UV_THREADPOOL_SIZE: "1" };
const RANDOM_KILLS = 25;
const INJECTED_KILLS = 35;
/** Deaths that one keyring lives through: each adds generations, and the more there are, the longer all of them take to open. */
const LIVES = 5;

let identity: string;
const folders: string[] = [];

beforeAll(async () => {
  identity = await generateHybridIdentity();
});
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

function newFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "tk-keyring-"));
  folders.push(made);
  writeFileSync(join(made, IDENTITY), `${identity}\n`, { mode: 0o600 });
  return made;
}

/** How it ended, and the last lists of generations that it promised. */
interface Ending {
  readonly killed: boolean;
  readonly promised: readonly (readonly [string, GenerationState])[];
}

/** @param how a program to run it under, and how long it may live, in milliseconds */
async function run(
  dying: Dying,
  { under = [], lifeMs }: { under?: readonly string[]; lifeMs?: number } = {},
): Promise<Ending> {
  const [program = "", ...args] = [...under, process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM];
  const child = spawn(program, [...args, JSON.stringify(dying)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: ONE_IN_POOL,
  });
  const [output, errors, ended] = [text(child.stdout), text(child.stderr), once(child, "exit")];
  if (lifeMs !== undefined) {
    await once(child.stdout, "data");
    await delay(lifeMs);
    child.kill("SIGKILL");
  }
  const [code, signal] = await ended;
  // strace ends by the signal that its program ended by.
  const killed = signal === "SIGKILL" || code === 137;
  if (!killed && code !== 0) throw new Error(`ended with ${code}: ${await errors}`);
  const lines = (await output).split("\n").slice(0, -1);
  return { killed, promised: JSON.parse(lines.at(-1) ?? "[]") };
}

const openAt = (at: string, { store, audit }: KeyringParts) =>
  openKeyring({ tenant: "acme", store, audit, folder: at, clock: () => new Date() });
const promisesOf = (generations: readonly Generation[]) =>
  generations.map(({ keyId, state }): Ending["promised"][number] => [keyId, state]);

/** Sees to it that there is something to activate, to destroy and to compromise. */
async function prepare(at: string): Promise<readonly Generation[]> {
  const parts = await openParts(at);
  const keyring = await openAt(at, parts);
  await keyring.generate("op", { state: "active" });
  await keyring.generate("op", { state: "next" });
  await parts.close();
  return keyring.list();
}

/** What holds after any death: one active generation, everything opens that may, and nothing that was promised is lost. */
async function expectWhole(at: string, promised: Ending["promised"]): Promise<number> {
  const parts = await openParts(at);
  const keyring = await openAt(at, parts);
  const generations = keyring.list();
  expect(await opens(keyring, activeOf(keyring))).toBe(true);
  for (const generation of generations.slice(-6))
    expect(await opens(keyring, generation, "stored")).toBe(generation.state !== "destroyed");
  const rankOf = new Map(generations.map(({ keyId, state }) => [keyId, GENERATION_STATES.indexOf(state)]));
  for (const [keyId, state] of promised)
    expect(rankOf.get(keyId)).toBeGreaterThanOrEqual(GENERATION_STATES.indexOf(state));
  const kept = generations.filter(({ state }) => state !== "destroyed").map(({ keyId }) => keyId);
  expect((await parts.store.list()).map(({ keyId }) => keyId)).toEqual([keyring.packageKey.keyId, ...kept].toSorted());
  const publicKey = createPublicKey({ key: parts.store.signer.publicKeySpki, format: "der", type: "spki" });
  await parts.close();
  const { findings } = await verifyAuditLog({ folder: join(at, "audit"), publicKey, patienceMs: 0 });
  expect(findings).toEqual([]);
  return generations.length;
}

const ALL: Readonly<Record<ChangeName, number>> = {
  "generate next": 3,
  activate: 1,
  destroy: 3,
  "generate active": 3,
  compromise: 3,
  "import a key": 3,
  "import a package": 3,
};
const deaths = Object.entries(ALL).flatMap(([name, steps]) =>
  Array.from({ length: steps }, (_, index) => index + 1).flatMap((step) =>
    (["before", "after"] as const).map((when) => ({ name: name as ChangeName, step, when })),
  ),
);

describe("a keyring over files, killed", () => {
  it.each([1, 2, 3, 4])("at step %i of its first opening, opens as a new one", async (step) => {
    for (const when of ["before", "after"] as const) {
      const fresh = newFolder();
      const { killed } = await run({ folder: fresh, changes: [], death: { step, when } });
      expect(killed).toBe(true);
      expect(await expectWhole(fresh, [])).toBe(1);
    }
  });

  it("not at all, does all of its changes", async () => {
    const folder = newFolder();
    const { killed, promised } = await run({ folder, changes: Object.keys(ALL) as ChangeName[] });
    expect([killed, promised.length]).toEqual([false, 6]);
    expect(await expectWhole(folder, promised)).toBe(6);
  });

  it.each(deaths)(
    "$when step $step of: $name, has the old generations or the new ones",
    async ({ name, step, when }) => {
      const at = newFolder();
      const before = await prepare(at);
      const { killed } = await run({ folder: at, changes: [name], death: { step, when } });
      expect(killed).toBe(true);
      expect((await expectWhole(at, promisesOf(before))) - before.length).toBeOneOf([0, 1]);
    },
  );

  it(`at ${RANDOM_KILLS} random moments, loses nothing that it promised`, async () => {
    let folder = "";
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      if (kill % LIVES === 0) folder = newFolder();
      const { killed, promised } = await run({ folder }, { lifeMs: randomInt(150) });
      expect(killed).toBe(true);
      await expectWhole(folder, promised);
    }
  });

  it(`by its n-th system call, ${INJECTED_KILLS} times, loses nothing that it promised`, async () => {
    let deadly = 0;
    let folder = "";
    for (let kill = 0; kill < INJECTED_KILLS; kill++) {
      if (kill % LIVES === 0) folder = newFolder();
      const [call, most] = Object.entries(CALLS)[kill % Object.keys(CALLS).length] ?? ["rename", 1];
      const inject = `inject=${call}:signal=KILL:when=${randomInt(1, most + 1)}`;
      const under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject];
      const { killed, promised } = await run({ folder, changes: Object.keys(ALL) as ChangeName[] }, { under });
      if (killed) deadly += 1;
      await expectWhole(folder, promised);
    }
    expect(deadly).toBeGreaterThan(INJECTED_KILLS / 2);
  });
});
