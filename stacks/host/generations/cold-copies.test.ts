import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { destroyInCopies } from "./cold-copies.ts";

const [KEY, OTHER] = ["00112233aabbccdd", "ffeeddccbbaa9988"];
let site = "";
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), "tk-copies-"));
  mkdirSync(join(site, "state"));
});
afterEach(() => rmSync(site, { recursive: true, force: true }));

const keyIn = (copy: string, keyId: string): string =>
  join(site, "backup", copy, "volumes/custody/keys", `${keyId}.key`);
const put = (copy: string, keyId: string): void => {
  mkdirSync(join(keyIn(copy, keyId), ".."), { recursive: true });
  writeFileSync(keyIn(copy, keyId), "wrapped");
};
const destroy = () => destroyInCopies(join(site, "state"), KEY);

it("takes a destroyed key out of every copy, and no other; a second time there is nothing to do", () => {
  writeFileSync(join(site, "journal.jsonl"), "");
  for (const copy of ["3", "left-7"]) for (const keyId of [KEY, OTHER]) put(copy, keyId);
  expect(destroy()).toEqual([keyIn("3", KEY), keyIn("left-7", KEY)]);
  expect(["3", "left-7"].flatMap((copy) => [KEY, OTHER].map((keyId) => existsSync(keyIn(copy, keyId))))).toEqual([
    ...[false, true, false, true],
  ]);
  expect(destroy()).toEqual([]);
});

it("takes it out of copies that a run has left unfinished in staging, and touches nothing else there", () => {
  writeFileSync(join(site, "journal.jsonl"), "");
  mkdirSync(join(site, "backup"));
  const [partial, other] = ["../staging/backup-3", "../staging/version-4"];
  for (const folder of [partial, other]) put(folder, KEY);
  writeFileSync(join(site, "staging", "lock"), "1 1");
  expect([destroy(), existsSync(keyIn(partial, KEY)), existsSync(keyIn(other, KEY))]).toEqual([
    ...[[keyIn(partial, KEY)], false, true],
  ]);
});

it("touches no folder of that name beside a state that is no site's", () => {
  put("3", KEY);
  expect([destroy(), existsSync(keyIn("3", KEY))]).toEqual([[], true]);
});

it("has nothing to do where no upgrade has copied anything, nor where keys are on a device", () => {
  writeFileSync(join(site, "journal.jsonl"), "");
  expect(destroy()).toEqual([]);
  mkdirSync(join(site, "backup", "3", "volumes/custody/state"), { recursive: true });
  expect(destroy()).toEqual([]);
});
