import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EscrowFolderFile, stageFolder } from "./folder.ts";

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), "tk-folder-"));
});
afterEach(() => rmSync(room, { recursive: true }));
const FILES = [
  { name: "one", content: "1" },
  { name: "two", content: "2" },
];
const putFolder = (folder: string, files: readonly EscrowFolderFile[]): void => stageFolder(folder, files).place();
const refused = expect.objectContaining({ code: "CUSTODY_ESCROW_FOLDER" });

describe("a ceremony's folder", () => {
  test("is there with all its files, for its owner alone, also where an empty one was", () => {
    const folder = join(room, "out");
    mkdirSync(folder, { mode: 0o755 });
    putFolder(folder, FILES);
    expect(readdirSync(folder).sort()).toEqual(["one", "two"]);
    expect([statSync(folder).mode & 0o777, statSync(join(folder, "one")).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(readdirSync(room)).toEqual(["out"]);
  });

  test("is left alone where it has something in it", () => {
    putFolder(join(room, "out"), FILES);
    expect(() => putFolder(join(room, "out"), [{ name: "one", content: "new" }])).toThrow(refused);
    expect(readFileSync(join(room, "out/one"), "utf8")).toBe("1");
  });

  test("is beside its place until it is put there, and gone when it is not", () => {
    const { discard } = stageFolder(join(room, "out"), FILES);
    const [partial = ""] = readdirSync(room);
    expect(partial).toMatch(/^out\.partial-/);
    expect(readdirSync(join(room, partial)).sort()).toEqual(["one", "two"]);
    discard();
    expect(readdirSync(room)).toEqual([]);
  });

  test("is not put where something came in the meantime", () => {
    const { place } = stageFolder(join(room, "out"), FILES);
    mkdirSync(join(room, "out"));
    writeFileSync(join(room, "out/mine"), "mine");
    expect(place).toThrow(refused);
    expect([readdirSync(room), readdirSync(join(room, "out"))]).toEqual([["out"], ["mine"]]);
  });

  test("is not made in part: what cannot be written whole leaves nothing", () => {
    const files = [...FILES, { name: "no/such/folder", content: "3" }];
    expect(() => putFolder(join(room, "out"), files)).toThrow(refused);
    expect(readdirSync(room)).toEqual([]);
  });

  test("is refused where a file is, or where its parent is not", () => {
    writeFileSync(join(room, "file"), "mine");
    for (const folder of ["file", "file/out", "none/out"]) {
      expect(() => putFolder(join(room, folder), FILES), folder).toThrow(refused);
    }
    expect([readdirSync(room), existsSync(join(room, "none"))]).toEqual([["file"], false]);
  });
});
