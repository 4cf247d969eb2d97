import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { historyOf } from "../../operations/bundle/install/history.ts";
import { TestSite } from "../../operations/bundle/install/test-site.ts";
import { PROJECT } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";

const BRINGING = ["--disable-warning=ExperimentalWarning", join(PROJECT, "test/integration/bundle-site/bringing.ts")];
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tk-kill-"));
  folders.push(folder);
  return folder;
}

const bring = (folder: string, wish: string, version: number): Promise<Ended> =>
  runProgram(process.execPath, [...BRINGING, folder, wish, `${version}`]);

/** Kills it (SIGKILL) while it brings the n-th line of its run's journal down to the disk; null where there are fewer. */
async function killAt(line: number, folder: string, wish: string, version: number): Promise<number | null> {
  const journal = join(folder, "site", "journal.jsonl");
  mkdirSync(join(folder, "site"), { recursive: true });
  const kill = ["-P", journal, "-e", "trace=fsync", "-e", `inject=fsync:signal=KILL:when=${line}`];
  const traced = ["-f", "-qq", "-o", "/dev/null", ...kill, process.execPath, ...BRINGING, folder, wish, `${version}`];
  return (await runProgram("strace", traced)).code;
}

/** Kills at every line in turn, and goes on each time; gives how many lines there were. */
async function killEverywhere(wish: "install" | "upgrade", version: number, prepared: string | undefined) {
  for (let line = 1; ; line += 1) {
    const folder = newFolder();
    if (prepared !== undefined) await runProgram("cp", ["-a", `${prepared}/.`, folder]);
    if ((await killAt(line, folder, wish, version)) === 0) return line - 1;
    const at = new TestSite(folder);
    const last = at.journal().at(-1);
    const { running } = at.engine.state();
    if (running !== null) {
      // Whatever runs, runs alone, as `current` says, on rows of its own.
      expect([readlinkSync(at.site.currentLink), at.rows().trim().split("\n").at(-1)]).toEqual([
        `versions/${running}`,
        `${running}`,
      ]);
    }
    const again = await bring(folder, wish, version);
    expect({ line, last, code: again.code, said: again.stderr }).toMatchObject({ code: 0 });
    const expected = wish === "install" ? "1\n" : "1\n2\n";
    expect([at.engine.state().running, at.rows(), readdirSync(at.site.stagingDir)]).toEqual([version, expected, []]);
    expect(historyOf(at.journal()).open).toBeUndefined();
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("kill -9 while a line of the journal goes to the disk", () => {
  it("is gone on from at every step of an install", async () => {
    expect(await killEverywhere("install", 1, undefined)).toBe(16);
  }, 400_000);

  it("is gone on from at every step of an upgrade", async () => {
    const prepared = newFolder();
    expect((await bring(prepared, "install", 1)).code).toBe(0);
    expect(await killEverywhere("upgrade", 2, prepared)).toBe(20);
  }, 400_000);

  it("is gone back from by rollback at every step of an upgrade that has begun", async () => {
    const prepared = newFolder();
    expect((await bring(prepared, "install", 1)).code).toBe(0);
    for (const line of [2, 7, 8, 9, 10, 11, 13, 14, 15]) {
      const folder = newFolder();
      await runProgram("cp", ["-a", `${prepared}/.`, folder]);
      expect(await killAt(line, folder, "upgrade", 2)).not.toBe(0);
      const back = await bring(folder, "rollback", 1);
      const at = new TestSite(folder);
      const found = [at.engine.state().running, at.rows(), readlinkSync(at.site.currentLink)];
      expect({ line, code: back.code, said: back.stderr, found }).toMatchObject({
        ...{ code: 0, found: [1, "1\n", "versions/1"] },
      });
    }
  }, 400_000);

  it("leaves a journal whose torn last line is none", async () => {
    const folder = newFolder();
    await killAt(4, folder, "install", 1);
    const file = join(folder, "site", "journal.jsonl");
    const whole = readFileSync(file);
    appendFileSync(file, '{"event":"step","run":1,"at":"2026');
    expect((await bring(folder, "install", 1)).code).toBe(0);
    expect(readFileSync(file).subarray(0, whole.length)).toEqual(whole);
    expect(new TestSite(folder).engine.state().running).toBe(1);
  }, 60_000);
});
