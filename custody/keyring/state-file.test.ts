import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type StateFile, stateFileIn } from "./state-file.ts";

let parent: string;
let folder: string;
let file: StateFile;
beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), "state-"));
  folder = join(parent, "state");
  file = stateFileIn(folder);
});
afterEach(() => rmSync(parent, { recursive: true }));

describe("the file of a keyring's state", () => {
  it("is nothing at first, and then what was written last, for its user alone", async () => {
    expect(await file.read()).toBeNull();
    await file.write("old");
    await file.write("new");
    expect([await file.read(), readdirSync(folder)]).toEqual(["new", ["generations.json"]]);
    expect([statSync(file.path).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it("keeps nobody waiting while it is written", async () => {
    let turns = 0;
    const turning = setInterval(() => turns++, 0);
    const counting = setImmediate(() => turns++);
    await file.write("new");
    clearInterval(turning);
    clearImmediate(counting);
    expect(turns).toBeGreaterThan(0);
  });

  it("is written over what a death left half done", async () => {
    mkdirSync(folder);
    writeFileSync(`${file.path}.tmp`, "hal");
    await file.write("whole");
    expect([await file.read(), readdirSync(folder)]).toEqual(["whole", ["generations.json"]]);
  });

  it("stays as it was when it cannot be written", async () => {
    await file.write("old");
    mkdirSync(join(`${file.path}.tmp`, "in the way"), { recursive: true });
    await expect(file.write("new")).rejects.toMatchObject({ code: "CUSTODY_STATE_UNWRITABLE" });
    expect(readFileSync(file.path, "utf8")).toBe("old");
  });

  it("is not taken for missing when it cannot be read, nor its folder for one when it is none", async () => {
    mkdirSync(file.path, { recursive: true });
    await expect(file.read()).rejects.toMatchObject({ code: "CUSTODY_STATE_UNREADABLE" });
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "");
    await expect(file.read()).rejects.toMatchObject({ code: "CUSTODY_STATE_UNREADABLE" });
    await expect(file.write("new")).rejects.toMatchObject({ code: "CUSTODY_STATE_UNWRITABLE" });
  });
});
