import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProgram } from "./program.ts";

let folder: string;
let path: string;
const signal = new AbortController().signal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-program-"));
  path = join(folder, "bin");
  mkdirSync(path);
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string, at = path): string {
  const file = join(at, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const version = (number: string): string => `echo '{"terraform_version":"${number}","platform":"linux_amd64"}'`;
const find = (more = {}): ReturnType<typeof findProgram> => findProgram({ env: { PATH: path }, signal, ...more });

describe("the program", () => {
  it("is tofu before terraform", async () => {
    program("tofu", version("1.12.6"));
    program("terraform", version("1.13.0"));
    expect(await find()).toEqual({ path: "tofu", version: "1.12.6" });
  });

  it.each(["1.10.9", "0.99.0", "1.9.0"])("is terraform where tofu is %s", async (old) => {
    program("tofu", version(old));
    program("terraform", version("1.11.0"));
    expect(await find()).toEqual({ path: "terraform", version: "1.11.0" });
  });

  it("is the fallback where nothing in PATH is new enough, and the fallback is not made otherwise", async () => {
    const built = program("built", version("2.0.0"), folder);
    program("tofu", version("1.10.0"));
    expect(await find({ fallback: async () => built })).toEqual({ path: built, version: "2.0.0" });
    program("terraform", version("1.11.4"));
    expect(await find({ fallback: () => Promise.reject(new Error("not needed")) })).toMatchObject({
      path: "terraform",
    });
  });

  it("is found behind what it says about the user's CLI configuration", async () => {
    program("tofu", `echo 'There are some problems:'; echo '│ Warning: {x} is not there'; ${version("1.12.6")}`);
    expect(await find()).toMatchObject({ version: "1.12.6" });
  });

  it("is the one that was asked for, and no other", async () => {
    program("terraform", version("1.11.4"));
    const old = program("mine", version("1.4.0"), folder);
    await expect(find({ binary: old })).rejects.toMatchObject({
      code: "TERRAFORM_TOO_OLD",
      message: expect.stringContaining("1.4.0"),
    });
    await expect(find({ binary: join(folder, "none") })).rejects.toMatchObject({ code: "TERRAFORM_MISSING" });
  });

  it.each([
    ["nothing is there", undefined],
    ["it prints no version", "echo '{}'"],
    ["it prints no JSON", "echo 1.12.6"],
    ["it does not run", "echo broken >&2; exit 3"],
  ])("is missing where %s", async (_, script) => {
    if (script !== undefined) program("tofu", script);
    await expect(find()).rejects.toMatchObject({ code: "TERRAFORM_MISSING" });
  });

  it("is missing where the fallback cannot be made, which says why", async () => {
    const fallback = (): Promise<string> => Promise.reject(new Error("no Go compiler"));
    await expect(find({ fallback })).rejects.toMatchObject({
      code: "TERRAFORM_MISSING",
      message: expect.stringContaining("no Go compiler"),
    });
  });

  it("is not looked for once the command is interrupted", async () => {
    program("tofu", "sleep 10");
    const controller = new AbortController();
    const search = find({ signal: controller.signal });
    controller.abort();
    await expect(search).rejects.toMatchObject({ code: "DEPLOY_CANCELLED", exit: 8 });
  });
});
