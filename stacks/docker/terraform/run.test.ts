import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Run, runProgram } from "./run.ts";

let cwd: string;
let lines: string[];
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-run-"));
  lines = [];
});
afterEach(() => rmSync(cwd, { recursive: true }));

function script(text: string, more: Partial<Run> = {}): Run {
  const onLine = (line: string): void => {
    lines.push(line);
  };
  return { path: "/bin/sh", args: ["-c", text], cwd, env: {}, signal: new AbortController().signal, onLine, ...more };
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 5000) throw new Error("it never came");
    await sleep(10);
  }
}

describe("a run", () => {
  it("gives every line, whole, also the last one without an end, and leaves no file", async () => {
    const run = script("printf 'é1\\n\\nsecond '; sleep 0.15; printf 'half\\nlast'; echo complaint >&2; exit 3");
    expect(await runProgram(run)).toEqual({ exitCode: 3, stderr: "complaint\n" });
    expect(lines).toEqual(["é1", "second half", "last"]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it("gives a line while it goes on", async () => {
    const done = runProgram(script(`echo early; while [ ! -e seen ]; do sleep 0.02; done`));
    await until(() => lines.length > 0);
    await runProgram(script("touch seen"));
    expect((await done).exitCode).toBe(0);
  });

  it("is interrupted once, with SIGINT, and may end in its own time", async () => {
    const controller = new AbortController();
    const text = `n=0; trap 'n=$((n+1))' INT; echo up; while [ $n = 0 ]; do sleep 0.02; done; sleep 0.2; echo saved $n; exit 1`;
    const done = runProgram(script(text, { signal: controller.signal }));
    await until(() => lines.includes("up"));
    controller.abort();
    expect((await done).exitCode).toBe(1);
    expect(lines).toContain("saved 1");
  });

  it("is told again, with SIGTERM, when it does not end in time", async () => {
    const controller = new AbortController();
    const text = `trap '' INT; trap 'echo told; exit 9' TERM; echo up; while :; do sleep 0.02; done`;
    const done = runProgram(script(text, { signal: controller.signal, graceMs: 50 }));
    await until(() => lines.includes("up"));
    controller.abort();
    expect((await done).exitCode).toBe(9);
    expect(lines).toContain("told");
  });

  it("has no exit code where a signal ended it", async () => {
    expect((await runProgram(script("kill -9 $$"))).exitCode).toBeUndefined();
  });

  it("is not started for a command that is interrupted already", async () => {
    const run = script("touch started", { signal: AbortSignal.abort() });
    await expect(runProgram(run)).rejects.toMatchObject({ code: "DEPLOY_CANCELLED" });
    expect(existsSync(join(cwd, "started"))).toBe(false);
  });

  it("cannot be of a program that is gone", async () => {
    await expect(runProgram(script("", { path: join(cwd, "none") }))).rejects.toMatchObject({
      code: "TERRAFORM_MISSING",
    });
  });

  it("has a process group of its own, so that Ctrl-C does not reach it twice", async () => {
    await runProgram(script("echo $$ > pid; read -r a b c d pgrp rest < /proc/$$/stat; echo $pgrp > pgrp"));
    const text = (name: string): string => readFileSync(join(cwd, name), "utf8");
    expect(text("pgrp")).toBe(text("pid"));
  });
});
