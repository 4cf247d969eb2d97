import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Recording,
  type RecordingPlace,
  recordingPlace,
  type Said,
  startRecording,
} from "./custody-audit/recording.ts";

const REFUSED = "CUSTODY_AUDIT_UNAVAILABLE";
const LIMIT_MS = 2_000;
let place: RecordingPlace;
let recording: Recording | undefined;
beforeEach(async () => {
  place = await recordingPlace();
});
afterEach(async () => {
  await recording?.kill();
  recording = undefined;
  for (const folder of [place.folder, dirname(place.pemFile)]) rmSync(folder, { recursive: true, force: true });
});

/** Opens a log, and resolves when it is open. */
async function record(under: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Recording> {
  recording = startRecording({ ...place, under, env });
  await recording.next();
  return recording;
}

/** Under strace, which makes system calls on one of the log's files fail or wait. Counts are of one thread: there is one. */
function faulty(file: "segment" | "head", injections: readonly string[], threads = 1): Promise<Recording> {
  const path = join(place.folder, file === "head" ? "audit.head" : "audit-000000000001.ndjson");
  const faults = injections.flatMap((injection) => ["-e", `inject=${injection}`]);
  const trace = ["-e", "trace=pwrite64,ftruncate", "-o", "/dev/null", "-P", path];
  return record(["strace", "-f", "--seccomp-bpf", ...trace, ...faults], { UV_THREADPOOL_SIZE: String(threads) });
}

/** Appends until one is refused for want of a disk; gives those that were told to be there, and the refusal. */
async function untilRefused(
  { tell }: Recording,
  most = 50,
): Promise<{ readonly told: number; readonly refused: Said }> {
  for (let told = 0; told < most; told++) {
    const said = await tell("append");
    if (said.seq === undefined) return { told, refused: said };
  }
  throw new Error("nothing was refused");
}

/** Appends until one is taken again; gives its number. */
async function untilTaken({ tell }: Recording, most = 50): Promise<number> {
  for (let tries = 0; tries < most; tries++) {
    const { seq } = await tell("append");
    if (seq !== undefined) return seq;
    await sleep(100);
  }
  throw new Error("nothing was taken");
}

/** Every number once and in order: the session's record has the first. */
function numbersOf({ said }: Recording): readonly number[] {
  return said.flatMap((line) => line.all ?? [line]).flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
}

/** What was told is there, nothing else is, and the chain is whole. */
async function expectWhole(of: Recording): Promise<void> {
  const numbers = numbersOf(of);
  expect(numbers).toEqual(numbers.map((_, index) => index + 2));
  const end = await of.tell("end");
  expect(end.findings).toEqual([]);
  expect(end.records).toBe(numbers.length + 1);
}

function expectInTime({ refused, ms }: Said): void {
  expect(refused).toBe(REFUSED);
  expect(ms).toBeLessThan(LIMIT_MS);
}

describe("an audit log on a disk that is full", () => {
  test("refuses within 2 s, and goes on once there is space, with a whole chain", async () => {
    const mount = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"';
    const full = await record(["unshare", "-m", "sh", "-c", mount, place.folder]);
    for (let times = 0; times < 3; times++) {
      await full.tell("append");
      await full.tell("fill");
      const { refused } = await untilRefused(full);
      expectInTime(refused);
      for (const each of (await full.tell("appends")).all ?? []) expectInTime(each);
      await full.tell("free");
      await full.tell("append");
      expect((await full.tell("appends")).all?.filter(({ seq }) => seq === undefined)).toEqual([]);
    }
    await expectWhole(full);
  });

  test("refuses for good when the log itself filled it, and loses nothing", async () => {
    const mount = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"';
    const full = await record(["unshare", "-m", "sh", "-c", mount, place.folder]);
    const { told, refused } = await untilRefused(full, 1_000);
    expectInTime(refused);
    expect(told).toBeGreaterThan(20);
    expectInTime((await untilRefused(full)).refused);
    await expectWhole(full);
  });
});

describe("an audit log on a disk that fails", () => {
  test.each([
    ["EIO in a segment", "segment", ["pwrite64:error=EIO:when=4..9"]],
    ["EDQUOT in a segment", "segment", ["pwrite64:error=EDQUOT:when=4..9"]],
    ["EROFS in a segment", "segment", ["pwrite64:error=EROFS:when=4..9"]],
    ["EIO in the head", "head", ["pwrite64:error=EIO:when=5..12"]],
    ["ENOSPC in the head", "head", ["pwrite64:error=ENOSPC:when=5..12"]],
    ["EIO wherever it cuts, too", "segment", ["pwrite64:error=EIO:when=4..9", "ftruncate:error=EIO:when=1..4"]],
    ["EIO wherever it cuts after the head failed", "head", ["pwrite64:error=EIO:when=5"]],
  ] as const)(
    "with %s refuses within 2 s, and goes on when it is over, with a whole chain",
    async (_, file, faults) => {
      const failing = await faulty(file, faults);
      for (let times = 0; times < 2; times++) {
        const { refused } = await untilRefused(failing).catch(() => ({ refused: null }));
        if (times === 0) expect(refused).not.toBe(null);
        if (refused !== null) expectInTime(refused);
        await untilTaken(failing);
      }
      expect((await failing.tell("appends")).all?.filter(({ seq }) => seq === undefined)).toEqual([]);
      await expectWhole(failing);
    },
  );
});

describe("an audit log on a disk that hangs", () => {
  test.each([
    ["a segment", "segment", "pwrite64:delay_enter=4000000:when=4"],
    ["the head", "head", "pwrite64:delay_enter=4000000:when=5"],
    ["a segment after it was written", "segment", "pwrite64:delay_exit=4000000:when=4"],
    ["the head after it was written", "head", "pwrite64:delay_exit=4000000:when=5"],
  ] as const)(
    "while %s is written refuses within 2 s and then at once, and goes on afterwards",
    async (_, file, fault) => {
      const hanging = await faulty(file, [fault]);
      const { refused } = await untilRefused(hanging);
      expectInTime(refused);
      expect(refused.ms).toBeGreaterThan(1_000);
      for (const each of (await hanging.tell("appends")).all ?? []) {
        expectInTime(each);
        expect(each.ms).toBeLessThan(200);
      }
      await untilTaken(hanging, 100);
      expect((await hanging.tell("appends")).all?.filter(({ seq }) => seq === undefined)).toEqual([]);
      await expectWhole(hanging);
    },
  );

  test("takes one thread of the pool, however many ask", async () => {
    const hanging = await faulty("segment", ["pwrite64:delay_enter=4000000:when=2"], 2);
    const { refused } = await untilRefused(hanging);
    expectInTime(refused);
    for (let times = 0; times < 5; times++) await hanging.tell("appends");
    const started = performance.now();
    expect(await hanging.tell("breathe")).toEqual({ folder: true });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("killed meanwhile keeps what it was told is there", async () => {
    const hanging = await faulty("head", ["pwrite64:delay_enter=60000000:when=6"]);
    const { told } = await untilRefused(hanging);
    await hanging.kill();
    const next = await record([]);
    const end = await next.tell("end");
    expect(end.findings).toEqual([]);
    expect(end.records).toBe(1 + told + 1);
  });
});
