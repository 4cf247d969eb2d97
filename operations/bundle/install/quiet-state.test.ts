import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { takeLock } from "../../../stacks/host/lock.ts";
import { quietState } from "./quiet-state.ts";
import { TestSite, testBundle } from "./test-site.ts";

let at: TestSite;
beforeEach(async () => {
  at = new TestSite();
  await at.bring("install", testBundle(1));
});
afterEach(() => at.remove());

const lock = () => join(at.site.stateDir, "lock");

it("has an upgrade and a way back wait for a deploy that was left behind", async () => {
  await at.bring("upgrade", testBundle(2));
  const child = spawn("sleep", ["30"]);
  await once(child, "spawn");
  takeLock(lock(), child.pid ?? 0);
  const waited: string[] = [];
  const onProgress = (what: string) => {
    waited.push(`${what.replace(/\d+/, "n")} ${child.exitCode ?? child.signalCode}`);
    if (what.startsWith("waiting")) setTimeout(() => child.kill(), 50);
  };
  expect(await at.back({ onProgress })).toMatchObject({ version: 1 });
  expect(waited.slice(0, 2)).toEqual([
    "waiting for process n, which deploys null",
    "removing the containers of the version that is left SIGTERM",
  ]);
});

it.each(["staging", "copying"])(
  "waits for a deploy that has not locked the state yet, begun while it was %s",
  async (when) => {
    const child = spawn("sleep", ["30"]);
    await once(child, "spawn");
    const said: string[] = [];
    const onProgress = (what: string) => {
      said.push(`${what.split(" ")[0]} ${child.signalCode}`);
      if (what.startsWith(when)) takeLock(at.site.deployFile, child.pid ?? 0);
      if (what.startsWith("waiting")) setTimeout(() => child.kill(), 50);
    };
    expect(await at.bring("upgrade", testBundle(2), { onProgress })).toMatchObject({ version: 2 });
    expect(said).toContain("waiting null");
    expect(said).toContain(when === "staging" ? "stopping SIGTERM" : "stopping null");
    expect(child.signalCode).toBe("SIGTERM");
  },
);

it("gives up on one that does not end, and when it is cancelled, and takes nothing", async () => {
  const unlock = takeLock(lock(), process.pid);
  const { site, onProgress } = at.asked();
  const quiet = (signal: AbortSignal) => quietState({ site, signal, onProgress }, 1);
  await expect(quiet(new AbortController().signal)).rejects.toMatchObject({ code: "STATE_LOCKED" });
  await expect(quiet(AbortSignal.abort())).rejects.toMatchObject({ code: "BUNDLE_SITE_CANCELLED" });
  expect(existsSync(lock())).toBe(true);
  unlock();
  await quiet(AbortSignal.abort());
});

it.each(["", "nonsense", "0 1", "999999999 1"])("does not wait for a lock that says %j", async (text) => {
  writeFileSync(lock(), text);
  await quietState(at.asked(), 1);
});
