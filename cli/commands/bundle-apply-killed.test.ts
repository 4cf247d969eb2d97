import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  closeBundles,
  layeredContents,
  noise,
  openedBundle,
  reopened,
} from "../../operations/bundle/delta/test-delta.ts";
import { writeDelta } from "../../operations/bundle/delta/write-delta.ts";
import { UNWATCHED } from "../../operations/bundle/format/test-bundle.ts";
import { testVendor } from "./test-vendor.ts";

const vendor = await testVendor();
afterAll(async () => {
  await closeBundles();
  vendor.remove();
});

let [old, full, delta] = ["", "", ""];
beforeAll(async () => {
  const service = noise("service", 12_000_000);
  const before = await openedBundle(layeredContents({ service }));
  const newer = Buffer.concat([service, Buffer.from("new")]);
  const after = await reopened(await vendor.bundle(layeredContents({ service: newer })));
  mkdirSync(vendor.in("place"));
  const [out, scratch] = [vendor.in("delta.tkb"), vendor.folder];
  const view = { begin: () => undefined, onBytes: () => undefined };
  const request = { old: before, full: after, out, scratch, sign: vendor.sign, view, signal: UNWATCHED.signal };
  [old, full, delta] = [before.path, after.path, (await writeDelta(request)).files[0] ?? ""];
});

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
const main = join(import.meta.dirname, "..", "main.ts");

/** What lies at the place: looked at again where a folder of a running command went away under the look. */
function there(): readonly string[] {
  const place = vendor.in("place");
  for (;;) {
    try {
      return readdirSync(place, { recursive: true, encoding: "utf8" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || !existsSync(place)) throw error;
    }
  }
}

/** Runs `bundle apply`, killed once something lies at the place. @returns its signal; null where it came to its end */
async function killedAt(moment: RegExp): Promise<unknown> {
  const args = ["bundle", "apply", delta, "--to", old, "-o", join(vendor.in("place"), "full.tkb"), ...vendor.named];
  const child = spawn(process.execPath, [main, ...args, "--progress=quiet"], { stdio: "ignore" });
  const ended = once(child, "close");
  while (child.exitCode === null && !there().some((path) => moment.test(path))) await pause(1);
  child.kill("SIGKILL");
  return (await ended)[1];
}

it("killed at any moment, leaves nothing under the name of the output and the old bundle as it was; the next run goes on", {
  timeout: 60_000,
}, async () => {
  const before = sha256(old);
  for (const moment of [
    /^\.full\.tkb-\d+-\w+$/,
    /\/delta-\w+\/blob-/,
    /\/segment-\d+\.zst$/,
    /^full\.tkb\.partial-\d+-/,
  ]) {
    const found = () => there().filter((path) => moment.test(path));
    // A busy machine may let the moment pass between the look and the kill: then it is waited for once more.
    let signal: unknown = null;
    for (let tries = 0; tries < 10 && (signal === null || found().length !== 1); tries += 1) {
      rmSync(join(vendor.in("place"), "full.tkb"), { force: true });
      signal = await killedAt(moment);
    }
    expect([moment, signal, found().length]).toEqual([moment, "SIGKILL", 1]);
    expect(there()).not.toContain("full.tkb");
    // Of runs before, nothing is left.
    expect(there().filter((path) => /^\.full\.tkb-\d+-\w+$/.test(path))).toHaveLength(1);
  }
  expect(await killedAt(/^nothing$/)).toBe(null);
  expect(there()).toEqual(["full.tkb"]);
  expect([sha256(join(vendor.in("place"), "full.tkb")), sha256(old)]).toEqual([sha256(full), before]);
});
