import { createPublicKey } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { verifyAuditLog } from "../../custody/audit/verify.ts";
import { type RecordingPlace, recordingPlace, type Said, startRecording } from "./custody-audit/recording.ts";

const root = join(import.meta.dirname, "..", "..");
const KILLS = 50;

/** The arguments with which the embedded engine runs a service that has that folder. */
function permissions({ folder, pemFile }: RecordingPlace): readonly string[] {
  return [
    ...["--permission", "--disable-warning=ExperimentalWarning", "--disable-warning=SecurityWarning"],
    ...[root, folder, dirname(pemFile)].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${folder}`,
  ];
}

/** Number and root of every batch in the log. */
function recordsOf(folder: string): ReadonlyMap<number, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".ndjson"));
  const lines = names.flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"));
  return new Map(lines.map((line) => JSON.parse(line)).map(({ seq, root: batch }) => [seq, batch]));
}

describe.each([
  ["as it is", () => []],
  ["under the permission model", permissions],
] as const)("a process that records, %s", (_, argumentsFor) => {
  test(`killed ${KILLS} times keeps every record that it was told is there, and an unbroken chain`, async () => {
    const place = await recordingPlace();
    const told: Said[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const recording = startRecording({ ...place, limitMs: 60_000, nodeArguments: argumentsFor(place) });
      // Every fifth dies while it starts.
      if (kill % 5 === 4) await sleep(100 + Math.random() * 250);
      else {
        await recording.next();
        recording.order("run");
        await sleep(Math.random() * 120);
      }
      await recording.kill();
      expect(recording.stderr()).toBe("");
      told.push(...recording.said.filter(({ seq }) => seq !== undefined));
    }
    const last = startRecording({ ...place, limitMs: 60_000, nodeArguments: argumentsFor(place) });
    await last.next();
    expect((await last.tell("end")).findings).toEqual([]);
    await last.kill();
    const records = recordsOf(place.folder);
    expect(told.length).toBeGreaterThan(KILLS * 5);
    expect(told.filter(({ seq, root: batch }) => records.get(seq ?? 0) !== batch)).toEqual([]);
    const publicKey = createPublicKey(readFileSync(place.pemFile));
    expect((await verifyAuditLog({ folder: place.folder, publicKey })).findings).toEqual([]);
    for (const folder of [place.folder, dirname(place.pemFile)]) rmSync(folder, { recursive: true });
  }, 400_000);
});
