import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockWithin, takeLock } from "./lock.ts";

let dir: string;
let lock: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-lock-"));
  lock = join(dir, "lock");
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("takeLock", () => {
  it("refuses a second owner while the first one lives, and names it", () => {
    takeLock(lock, process.pid);
    expect(() => takeLock(lock, process.ppid)).toThrow(
      expect.objectContaining({ code: "STATE_LOCKED", message: expect.stringContaining(String(process.pid)) }),
    );
  });

  it("is free again once given back, and leaves nothing behind", () => {
    takeLock(lock, process.pid)();
    takeLock(lock, process.pid)();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("takes over from a process that is gone", () => {
    const gone = spawnSync("true").pid;
    writeFileSync(lock, `${gone} 1\n`);
    takeLock(lock, process.pid);
    expect(readFileSync(lock, "utf8")).toMatch(new RegExp(`^${process.pid} `));
  });

  it("takes over from a process whose number another one has now", () => {
    writeFileSync(lock, `${process.pid} 1\n`);
    takeLock(lock, process.pid);
    expect(readFileSync(lock, "utf8")).not.toBe(`${process.pid} 1\n`);
  });

  it.each(["", "\0\0\0", "not a number"])("takes over a lock file that holds %j", (content) => {
    writeFileSync(lock, content);
    takeLock(lock, process.pid)();
    expect(existsSync(lock)).toBe(false);
  });

  it("is waited for as long as it is held, and no longer than asked", async () => {
    const unlock = takeLock(lock, process.pid);
    await expect(lockWithin(lock, 50)).rejects.toMatchObject({ code: "STATE_LOCKED" });
    setTimeout(unlock, 50);
    (await lockWithin(lock, 10_000))();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("says which directory cannot be written", () => {
    expect(() => takeLock(join(dir, "lock"), process.pid)).not.toThrow();
    writeFileSync(join(dir, "file"), "");
    expect(() => takeLock(join(dir, "file", "lock"), process.pid)).toThrow(
      expect.objectContaining({ code: "STATE_UNWRITABLE" }),
    );
  });
});
