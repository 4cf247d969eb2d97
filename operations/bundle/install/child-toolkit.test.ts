import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { childToolkit } from "./child-toolkit.ts";

let folder = "";
let said = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-child-"));
  said = "";
  mkdirSync(join(folder, "toolkit"));
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
    flags: ["--progress", "quiet"],
    deploy: ["--start-key", "root-device"],
    onOutput: (text) => {
      said += text;
    },
  });
const { signal } = new AbortController();

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
