import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { childToolkit } from "./child-toolkit.ts";

let folder = "";
let said = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-child-"));
  said = "";
  for (const name of ["staging", "toolkit"]) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const launcher = (script: string): void => {
  const file = join(folder, "toolkit", "trustkern");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
};
const toolkit = () =>
  childToolkit({
    env: { PATH: process.env.PATH },
    claimFile: join(folder, "staging", "lock.deploy"),
    flags: ["--progress", "quiet"],
    deploy: ["--start-key", "root-device"],
    onOutput: (text) => {
      said += text;
    },
  });
const { signal } = new AbortController();

/** Empty for one that has ended, whether or not somebody has asked how. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** Processes whose parent is that one (proc_pid_stat(5), field 4). */
function childrenOf(parent: number | undefined): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] === `${parent}`;
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe("the toolkit of a version", () => {
  it("deploys what lies in the version's folder into the site's state, and waits until all is well", async () => {
    launcher(`echo "$*" >${folder}/asked; echo fine`);
    await toolkit().deploy(folder, "/site/state", signal);
    const asked = `-f ${folder}/deployment/trustkern.yaml --dir /site/state --progress quiet deploy --wait --start-key root-device`;
    expect([readFileSync(join(folder, "asked"), "utf8").trim(), said]).toEqual([asked, "fine\n"]);
  });

  it.each([
    ["ends with an error", "exit 4"],
    ["is killed", "kill -9 $$"],
  ])("has failed when it %s", async (_, script) => {
    launcher(script);
    await expect(toolkit().deploy(folder, "/s", signal)).rejects.toMatchObject({ code: "BUNDLE_DEPLOY_FAILED" });
  });

  it("has failed when it is not there, or cannot be started", async () => {
    const deploy = async () => toolkit().deploy(folder, "/s", signal);
    await expect(deploy()).rejects.toMatchObject({ code: "BUNDLE_DEPLOY_FAILED" });
    launcher("true");
    chmodSync(join(folder, "toolkit", "trustkern"), 0o644);
    await expect(deploy()).rejects.toMatchObject({ code: "BUNDLE_DEPLOY_FAILED" });
  });

  it("is asked to stop when the command is cancelled, and ends in its own time", async () => {
    launcher(`trap 'echo stopped >${folder}/end; exit 8' TERM; touch ${folder}/up; while :; do sleep 0.05; done`);
    const cancel = new AbortController();
    const deploy = toolkit().deploy(folder, "/s", cancel.signal);
    setTimeout(() => cancel.abort(), 400);
    await expect(deploy).rejects.toMatchObject({ code: "BUNDLE_SITE_CANCELLED" });
    expect(readFileSync(join(folder, "end"), "utf8")).toBe("stopped\n");
  });

  it("is on record as who deploys before it does anything, and no more once it has ended", async () => {
    const claim = join(folder, "staging", "lock.deploy");
    launcher(`echo "$(cat ${claim}) for $$" >${folder}/claimed; ls /proc/$$/fd >${folder}/open`);
    await toolkit().deploy(folder, "/s", signal);
    expect(readFileSync(join(folder, "claimed"), "utf8")).toMatch(/^(\d+) \d+ for \1\n$/);
    expect(readFileSync(join(folder, "open"), "utf8").split("\n")).not.toContain("3");
    expect(existsSync(claim)).toBe(false);
  });

  it("does nothing where its record cannot be written", async () => {
    launcher(`touch ${folder}/ran`);
    rmSync(join(folder, "staging"), { recursive: true });
    writeFileSync(join(folder, "staging"), "a file is in the way");
    await expect(toolkit().deploy(folder, "/s", signal)).rejects.toMatchObject({ code: "BUNDLE_SITE_UNWRITABLE" });
    await sleep(200);
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  it("does nothing where whoever started it is killed before it is on record", async () => {
    launcher(`touch ${folder}/ran`);
    const claim = join(folder, "staging", "lock.deploy");
    // Who writes to a pipe that nobody reads waits, for ever.
    execFileSync("mkfifo", [claim]);
    const module = join(import.meta.dirname, "child-toolkit.ts");
    const words = { env: { PATH: process.env.PATH }, claimFile: claim, flags: [], deploy: [] };
    const code = `import { childToolkit } from ${JSON.stringify(module)};
      const words = { ...${JSON.stringify(words)}, onOutput: () => undefined };
      await childToolkit(words).deploy(${JSON.stringify(folder)}, "/s", new AbortController().signal);`;
    writeFileSync(join(folder, "parent.mjs"), code);
    const parent = spawn(process.execPath, [join(folder, "parent.mjs")], { stdio: "ignore" });
    while (childrenOf(parent.pid).length === 0) await sleep(20);
    const [child = 0] = childrenOf(parent.pid);
    await sleep(100);
    parent.kill("SIGKILL");
    await once(parent, "close");
    while (commandOf(child) !== "") await sleep(20);
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  it("is well by its exit code alone, and says nothing here", async () => {
    launcher("echo noise; exit 0");
    expect(await toolkit().isWell(folder, folder, signal)).toBe(true);
    launcher("exit 1");
    expect([await toolkit().isWell(folder, folder, signal), said]).toEqual([false, ""]);
  });

  it("is not well where there is no state yet", async () => {
    launcher("exit 0");
    expect(await toolkit().isWell(folder, join(folder, "nothing"), signal)).toBe(false);
  });
});
