/**
 * Run on a small disk of its own: packs and writes bundles while it is full, too small or read-only, and prints as JSON what became of it.
 * usage: node bundle-disk.ts DIR
 */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  largeContents,
  packed,
  removeFolders,
  TEST_SLOT,
  UNWATCHED,
} from "../../operations/bundle/format/test-bundle.ts";
import { packBundle, replaceSlot, writeArchive } from "../../operations/bundle/format/write.ts";

const dir = process.argv[2] ?? "";
const out = join(dir, "site.tkb");
const filler = join(dir, "filler");
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (thrown) => thrown.code,
  );

/** Takes what is free, so that the file system and not a look at it says that there is no room. */
function fill(): void {
  try {
    writeFileSync(filler, Buffer.alloc(2_000_000));
  } catch {
    // It is full now.
  }
}

const bundle = await packed(largeContents());
const said: Record<string, unknown> = {};
const filledMeanwhile = { ...UNWATCHED, onProgress: () => fill() };
said.fullWhileWriting = await codeOf(writeArchive(bundle, TEST_SLOT, out, filledMeanwhile));
rmSync(filler);
said.leftWhileWriting = readdirSync(dir);
fill();
said.full = await codeOf(writeArchive(bundle, TEST_SLOT, out, UNWATCHED));
said.fullScratch = await codeOf(packBundle(largeContents(), { ...UNWATCHED, scratchDir: dir }));
rmSync(filler);
said.left = readdirSync(dir);
said.written = await codeOf(writeArchive(bundle, TEST_SLOT, out, UNWATCHED));
execFileSync("mount", ["-o", "remount,ro", dir]);
said.readOnly = await codeOf(writeArchive(bundle, TEST_SLOT, `${out}2`, UNWATCHED));
said.readOnlySlot = await codeOf(replaceSlot([out], TEST_SLOT));
said.readOnlyScratch = await codeOf(packBundle(largeContents(), { ...UNWATCHED, scratchDir: dir }));
said.there = readdirSync(dir);
removeFolders();
process.stdout.write(JSON.stringify(said));
