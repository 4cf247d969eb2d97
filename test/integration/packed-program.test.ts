import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";

let folder = "";
let program = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-packed-"));
  mkdirSync(join(folder, "tmp"));
  program = join(folder, "shell");
  const toolsDir = join(import.meta.dirname, "..", "..", "tools");
  const asked = { toolsDir, env: process.env, signal: new AbortController().signal, onProgress: () => undefined };
  const starter = await ensureTool({ ...asked, cacheDir: defaultCacheDir(process.env, homedir()) }, "unzstd");
  copyFileSync(starter, program);
  writeFileSync(`${program}.zst`, zstdCompressSync(readFileSync("/bin/sh")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SCRIPT = 'echo "$0 $1 $WORD $$"; exit 7';

/** Starts the packed shell, and looks at what is left where it could have unpacked. */
function run(command: readonly string[] = [program]) {
  const [first = "", ...more] = [...command, "-c", SCRIPT, "zero", "one"];
  const env = { PATH: "/usr/bin:/bin", TMPDIR: join(folder, "tmp"), WORD: "word" };
  const { status, stdout, stderr, pid } = spawnSync(first, more, { env, encoding: "utf8" });
  return { status, stdout, stderr, pid, left: readdirSync(join(folder, "tmp")) };
}

describe("a packed program", () => {
  it("has its arguments, environment, process and exit code, and lies on no disk", () => {
    const { status, stdout, pid, left } = run();
    expect({ status, stdout, left }).toEqual({ status: 7, stdout: `zero one word ${pid}\n`, left: [] });
  });

  it("is found beside the file that a link leads to", () => {
    const link = join(folder, "tmp", "link");
    symlinkSync(program, link);
    expect(run([link]).status).toBe(7);
  });

  it("runs where the kernel runs nothing from memory, and leaves no file", () => {
    const words = [
      "--pid",
      "--fork",
      "--mount-proc",
      "sh",
      "-c",
      'echo 2 >/proc/sys/vm/memfd_noexec && exec "$@"',
      "sh",
    ];
    const { status, stdout, left } = run(["unshare", ...words, program]);
    expect({ status, stdout, left }).toEqual({ status: 7, stdout: "zero one word 1\n", left: [] });
  });

  it.each([
    ["is half there", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    [
      "has other bytes",
      (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte))),
    ],
    ["is no zstd", () => Buffer.from("#!/bin/sh\n")],
  ])("is not started when it %s", (_, changed) => {
    writeFileSync(`${program}.zst`, changed(readFileSync(`${program}.zst`)));
    const { status, stdout, stderr, left } = run();
    expect({ status, stdout, left }).toEqual({ status: 1, stdout: "", left: [] });
    expect(stderr).toContain(`unzstd: ${program}.zst cannot be run`);
  });
});
