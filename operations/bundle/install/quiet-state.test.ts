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

it.each([
  ["loading", "stopping"],
  ["stopping", "copying"],
  ["copying", "deploying"],
  ["removing", "putting"],
  ["putting", "deploying"],
])(
  "waits for a deploy that has not locked the state yet, begun while it was %s, before it is %s",
  async (when, next) => {
    const isBack = ["removing", "putting"].includes(when);
    if (isBack) await at.bring("upgrade", testBundle(2));
    const child = spawn("sleep", ["30"]);
    await once(child, "spawn");
    const said: string[] = [];
    const onProgress = (what: string) => {
      said.push(`${what.split(" ")[0]} ${child.signalCode}`);
      if (what.startsWith(when)) takeLock(at.site.deployFile, child.pid ?? 0);
      if (what.startsWith("waiting")) setTimeout(() => child.kill(), 50);
    };
    await (isBack ? at.back({ onProgress }) : at.bring("upgrade", testBundle(2), { onProgress }));
    const from = said.indexOf(`${when} null`);
    expect(said.slice(from, from + 3)).toEqual([`${when} null`, "waiting null", `${next} SIGTERM`]);
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
