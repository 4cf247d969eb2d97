import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { scratch } from "../../support/deployment.ts";
import { CLI, docker, singleHost, succeed } from "../../support/docker.ts";
import { runProgram } from "../../support/run.ts";

const { dir, remove } = scratch("docker-faults");
const example = singleHost(dir);
const lockFile = join(dir, "images.lock.yaml");
let lock = "";

/** Code, message and exit code of a command that fails. */
async function failure(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout } = await example.cli([...args, "--json"], env);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; fix: string } };
  return { exit: code, ...error };
}

beforeAll(async () => {
  await succeed(example, ["images", "lock"]);
  lock = readFileSync(lockFile, "utf8");
}, 120_000);
afterEach(() => writeFileSync(lockFile, lock));
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  remove();
}, 200_000);

describe("before anything is made", () => {
  it("says that Docker does not answer", async () => {
    const none = { DOCKER_HOST: `unix://${dir}/none.sock` };
    expect(await failure(["deploy"], none)).toMatchObject({ exit: 4, code: "DOCKER_UNREACHABLE" });
    expect(await failure(["status"], none)).toMatchObject({ exit: 6, code: "NOT_DEPLOYED" });
  });

  it("refuses to deploy without a lock, with an image missing from it, and with another digest than is here", async () => {
    rmSync(lockFile);
    expect(await failure(["deploy"])).toMatchObject({ exit: 5, code: "IMAGES_NOT_LOCKED" });
    writeFileSync(lockFile, lock.replace(/ {2}broker:\n.*\n.*\n/, ""));
    const missing = await failure(["deploy"]);
    expect(missing).toMatchObject({ exit: 5, code: "IMAGES_MISMATCH" });
    expect(missing.message).toContain("IMAGE_NOT_LOCKED");
    writeFileSync(lockFile, lock.replace(/digest: sha256:.{4}/, "digest: sha256:0000"));
    const other = await failure(["deploy"]);
    expect(other).toMatchObject({ exit: 5, code: "IMAGES_MISMATCH" });
    expect(other.message).toContain("IMAGE_DIGEST_MISMATCH");
    expect((await docker(["ps", "-aq", "--filter", "label=trustkern.deployment=single-host"])).stdout).toBe("");
  });

  it("refuses a plan file of another trustkern.yaml, and one that is none", async () => {
    const plan = join(dir, "a.plan");
    await succeed(example, ["plan", "--out", plan]);
    const yaml = readFileSync(example.file, "utf8");
    writeFileSync(
      example.file,
      yaml.replace("ratePerSecond: 5", "ratePerSecond: 6").replace("telemetry: 30d", "telemetry: 31d"),
    );
    expect(await failure(["deploy", plan])).toMatchObject({ exit: 2, code: "PLAN_STALE" });
    writeFileSync(example.file, yaml);
    writeFileSync(plan, "no plan");
    expect(await failure(["deploy", plan])).toMatchObject({ exit: 2, code: "PLAN_STALE" });
    expect(await failure(["deploy", join(dir, "none.plan")])).toMatchObject({ exit: 2, code: "PLAN_UNUSABLE" });
    expect(await failure(["plan", "--out", join(dir, "none", "a.plan")])).toMatchObject({
      exit: 4,
      code: "CLI_OUTPUT",
    });
  });

  it("has nothing to destroy where nothing was deployed", async () => {
    expect(await failure(["destroy"])).toMatchObject({ exit: 6, code: "NOT_DEPLOYED" });
  });
});

describe("what would go to another engine", () => {
  it("is refused where the client talks to another machine", async () => {
    const remote = { DOCKER_HOST: "tcp://192.0.2.1:2375" };
    expect(await failure(["plan"], remote)).toMatchObject({ exit: 2, code: "DOCKER_REMOTE" });
  });
});

describe("while it deploys", () => {
  it("names the port that is taken, and converges when it is free", async () => {
    const server = createServer().listen(8883, "127.0.0.1");
    await once(server, "listening");
    const taken = await failure(["deploy"]);
    expect(taken).toMatchObject({ exit: 4, code: "PORT_TAKEN" });
    expect(taken.message).toContain("8883");
    server.close();
    await succeed(example, ["deploy", "--wait"]);
    expect((await example.cli(["status"])).code).toBe(0);
  });

  it("says which container never gets healthy, with its last log lines, and converges when it is mended", async () => {
    const digestOf = (name: string): string =>
      new RegExp(` {2}${name}:\\n.*\\n {4}digest: (\\S+)`).exec(lock)?.[1] ?? "";
    writeFileSync(lockFile, lock.replace(digestOf("backend"), digestOf("gateway")));
    const ill = await failure(["deploy", "--wait"]);
    expect(ill).toMatchObject({ exit: 4, code: "COMPONENT_UNHEALTHY" });
    expect(ill.message).toMatch(/backend is \w+ after \d+ s; its last log lines:\n {4}\{/);
    writeFileSync(lockFile, lock);
    await succeed(example, ["deploy", "--wait"]);
  });

  it("goes on where a run was killed -9, whose state lock is still held at first", async () => {
    await succeed(example, ["destroy", "--yes"]);
    const killed = spawn(process.execPath, [...CLI, "-f", example.file, "deploy"], { stdio: "ignore" });
    await containersAppear();
    killed.kill("SIGKILL");
    const held = await failure(["deploy"]);
    expect(held).toMatchObject({ exit: 4, code: "STATE_LOCKED" });
    await sleep(20_000);
    await succeed(example, ["deploy", "--wait"]);
    expect((await example.cli(["status"])).code).toBe(0);
    const plan = await example.cli(["plan", "--detailed-exitcode"]);
    expect(plan.code).toBe(0);
  });

  it("goes on where OpenTofu itself was killed -9 between making a container and saving it", async () => {
    await succeed(example, ["destroy", "--yes"]);
    const run = spawn(process.execPath, [...CLI, "-f", example.file, "deploy"], { stdio: "ignore" });
    await containersAppear();
    await runProgram("pkill", ["-KILL", "-f", `^\\S*(tofu|terraform) apply .*${dir}`]);
    await once(run, "exit");
    await succeed(example, ["deploy", "--wait"]);
    expect((await example.cli(["plan", "--detailed-exitcode"])).code).toBe(0);
  });

  it("says that the disk is full, and converges when there is room", async () => {
    await succeed(example, ["destroy", "--yes"]);
    const small = join(dir, "small");
    mkdirSync(small);
    const mounted = await runProgram("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
    expect(mounted.code).toBe(0);
    const elsewhere = ["--dir", join(small, "state")];
    try {
      const full = await failure(["deploy", ...elsewhere]);
      expect(full).toMatchObject({ exit: 4 });
      expect(["TERRAFORM_DISK_FULL", "STATE_UNWRITABLE"]).toContain(full.code);
      expect((await runProgram("mount", ["-o", "remount,size=2g", small])).code).toBe(0);
      await succeed(example, ["deploy", "--wait", ...elsewhere]);
    } finally {
      await example.cli(["destroy", "--volumes", "--yes", ...elsewhere]);
      await runProgram("umount", [small]);
    }
  });
});

async function containersAppear(): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 100) {
    const { stdout } = await docker(["ps", "-q", "--filter", "label=trustkern.deployment=single-host"]);
    if (stdout.trim() !== "") return;
    await sleep(100);
  }
  throw new Error("no container was made in 60 s");
}
