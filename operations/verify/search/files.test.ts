import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type FilesOptions, filePlaces } from "./files.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-files-"));
  mkdirSync(join(folder, "deep", "er"), { recursive: true });
  writeFileSync(join(folder, "deep", "er", "one"), "1");
  writeFileSync(join(folder, "two"), "2");
  symlinkSync("/etc/hostname", join(folder, "elsewhere"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function names(options?: FilesOptions): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of filePlaces(folder, options)) found.push(name);
  return found.sort();
}

it("gives every file by its path in the folder, and follows no link", async () => {
  expect(await names()).toEqual(["deep/er/one", "two"]);
});

it("looks into no folder where it is told so", async () => {
  expect(await names({ folders: false })).toEqual(["two"]);
});

it("leaves out and counts what nobody touched since, whatever time a program gave it", async () => {
  const old: number[] = [];
  const counting = { onOld: () => void old.push(1) };
  utimesSync(join(folder, "two"), 0, 0);
  expect(await names({ since: Date.now() - 60_000, ...counting })).toEqual(["deep/er/one", "two"]);
  expect(await names({ since: Date.now() + 60_000, ...counting })).toEqual([]);
  expect(old).toHaveLength(2);
});

it("reads a large file to its end, chunk by chunk", async () => {
  truncateSync(join(folder, "two"), 33 * 1024 * 1024);
  for await (const { name, content } of filePlaces(folder)) {
    if (name !== "two") continue;
    let bytes = 0;
    for await (const chunk of content as AsyncIterable<Uint8Array>) bytes += chunk.length;
    expect(bytes).toBe(33 * 1024 * 1024);
  }
});

it("has nothing of a folder that is gone", async () => {
  rmSync(join(folder, "deep"), { recursive: true });
  rmSync(join(folder, "two"));
  expect(await names()).toEqual([]);
});

it("tells of a folder that is not there at all, or throws it", async () => {
  const unread: string[] = [];
  const onUnread = (path: string) => void unread.push(path);
  for await (const _ of filePlaces(join(folder, "gone"), { onUnread }));
  expect(unread).toEqual(["."]);
  await expect(filePlaces(join(folder, "gone"))[Symbol.asyncIterator]().next()).rejects.toThrow(/ENOENT/);
});

it("tells of what it cannot read, or throws it", async () => {
  const unread: string[] = [];
  const files = filePlaces(`${folder}/\0`, { onUnread: (path) => void unread.push(path) });
  for await (const _ of files);
  expect(unread).toEqual(["."]);
  await expect(filePlaces(`${folder}/\0`)[Symbol.asyncIterator]().next()).rejects.toThrow();
});
