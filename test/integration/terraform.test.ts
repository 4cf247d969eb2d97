import { execFile, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool, toolKey } from "../../operations/tools/ensure-tool.ts";
import { describePlan } from "../../stacks/docker/terraform/describe-plan.ts";
import { findProgram, type TerraformProgram } from "../../stacks/docker/terraform/program.ts";
import type { ProgressEvent } from "../../stacks/docker/terraform/progress.ts";
import { type TerraformContext, terraform } from "../../stacks/docker/terraform/terraform.ts";

const programs = await usablePrograms();
const STATE = "terraform.tfstate";
const names = { "terraform_data.b": { kind: "component", name: "b" } };

let workDir: string;
let steps: ProgressEvent[];
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), "tk-terraform-"));
  steps = [];
});
afterEach(() => rmSync(workDir, { recursive: true }));

/** Two resources, the second one after the first; what each runs while it is made. */
function writeStack(a: string, b: string, more: { input?: string; terraform?: object } = {}): void {
  const made = (command: string): object => ({
    input: more.input ?? "one",
    provisioner: [{ "local-exec": { command, quiet: true } }],
  });
  const stack = {
    terraform: { backend: { local: { path: STATE } }, ...more.terraform },
    resource: { terraform_data: { a: made(a), b: { ...made(b), depends_on: ["terraform_data.a"] } } },
    output: { answer: { value: "42" } },
  };
  writeFileSync(join(workDir, "cdk.tf.json"), JSON.stringify(stack));
}

/** What a resource runs to say that it is being made, and then to wait until the test lets it go on. */
const WAIT = "touch started; while [ ! -e go ]; do sleep 0.02; done";

function open(program: TerraformProgram, more: Partial<TerraformContext> = {}): ReturnType<typeof terraform> {
  return terraform({
    program,
    workDir,
    localState: STATE,
    names,
    env: process.env,
    signal: new AbortController().signal,
    onProgress: (step) => steps.push(step),
    ...more,
  });
}

const file = (name: string): string => join(workDir, name);

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 15_000) throw new Error("it never came");
    await sleep(20);
  }
}

describe.each(programs)("$path $version", (program) => {
  it("plans, applies, finds nothing more to do, and destroys", async () => {
    writeStack("true", "true");
    const tf = open(program);
    await tf.init();
    expect(await tf.plan(file("p"))).toBe(true);
    expect(statSync(file("p")).mode & 0o777).toBe(0o600);
    expect(describePlan(await tf.show(file("p")), names).changes).toContainEqual({
      address: "terraform_data.b",
      action: "create",
      kind: "component",
      name: "b",
      changes: [],
    });
    await tf.apply(file("p"));
    expect(steps.map(({ words, state }) => `${words} ${state}`)).toEqual([
      "resource terraform_data.a started",
      "resource terraform_data.a done",
      "component b started",
      "component b done",
    ]);
    expect(await tf.plan(file("p"))).toBe(false);
    expect(await tf.plan(file("p"), { replace: ["terraform_data.b"] })).toBe(true);
    expect(describePlan(await tf.show(file("p")), names).changes).toMatchObject([{ action: "replace", name: "b" }]);
    expect(await tf.resources()).toEqual(["terraform_data.a", "terraform_data.b"]);
    expect(await tf.outputs()).toEqual({ answer: "42" });
    writeStack("true", "true", { input: "two" });
    expect(await tf.plan(file("p"))).toBe(true);
    expect(describePlan(await tf.show(file("p")), names).changes[1]).toMatchObject({
      name: "b",
      changes: [{ what: "input", from: "one", to: "two" }],
    });
    await tf.destroy();
    expect(await tf.resources()).toEqual([]);
    expect(statSync(workDir).mode & 0o777).toBe(0o700);
  });

  it("prepares its folder once, and again when the stack asks for something else", async () => {
    writeStack("true", "true");
    await open(program).init();
    const nothingRuns = open(program, { signal: AbortSignal.abort() });
    await nothingRuns.init();
    writeStack("false", "true", { input: "three" });
    await nothingRuns.init();
    writeStack("true", "true", { terraform: { required_providers: { x: { source: "example.com/x/x" } } } });
    await expect(nothingRuns.init()).rejects.toMatchObject({ code: "DEPLOY_CANCELLED" });
  });

  it("asks the mirror for a provider, and nobody else", async () => {
    mkdirSync(file("mirror"));
    writeStack("true", "true", {
      terraform: {
        required_providers: { docker: { source: "registry.terraform.io/kreuzwerker/docker", version: "9.9.9" } },
      },
    });
    await expect(open(program, { mirror: file("mirror") }).init()).rejects.toMatchObject({ code: "PROVIDER_MISSING" });
  });

  it("refuses to run beside another run, and says that that one is alive", async () => {
    writeStack(WAIT, "true");
    const tf = open(program);
    await tf.init();
    const first = tf.apply();
    await until(() => existsSync(file("started")));
    await expect(tf.plan(file("p"))).rejects.toMatchObject({
      code: "STATE_LOCKED",
      fix: expect.stringContaining("alive"),
    });
    writeFileSync(file("go"), "");
    await first;
    expect(await tf.plan(file("p"))).toBe(false);
  });

  it("saves its state when it is cancelled, and a second run goes on from there", async () => {
    writeStack("true", WAIT);
    const controller = new AbortController();
    const tf = open(program, { signal: controller.signal });
    await tf.init();
    const cancelled = tf.apply();
    await until(() => existsSync(file("started")));
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "DEPLOY_CANCELLED", exit: 8 });
    const again = open(program);
    expect(await again.resources()).toContain("terraform_data.a");
    writeFileSync(file("go"), "");
    await again.apply();
    expect(steps.filter(({ address, state }) => address === "terraform_data.a" && state === "done")).toHaveLength(1);
    expect(await again.plan(file("p"))).toBe(false);
  });

  it("goes on to its end when its caller is killed, and loses no resource", async () => {
    writeStack(WAIT, "true");
    await open(program).init();
    const context = { program, workDir, localState: STATE, names: {}, env: process.env };
    const code = `
      const { terraform } = await import(${JSON.stringify(resolve("stacks/docker/terraform/terraform.ts"))});
      await terraform({ ...${JSON.stringify(context)}, signal: new AbortController().signal, onProgress() {} }).apply();`;
    const caller = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
    await until(() => existsSync(file("started")));
    caller.kill("SIGKILL");
    await expect(open(program).plan(file("p"))).rejects.toMatchObject({ code: "STATE_LOCKED" });
    writeFileSync(file("go"), "");
    await until(() => !existsSync(file(`.${STATE}.lock.info`)));
    expect(await open(program).resources()).toEqual(["terraform_data.a", "terraform_data.b"]);
    expect(await open(program).plan(file("p"))).toBe(false);
  });

  it("is not locked out by a run that was killed itself, and a second run converges", async () => {
    writeStack("true", `echo $PPID > pid; ${WAIT}`);
    const tf = open(program);
    await tf.init();
    const killed = tf.apply();
    await until(() => existsSync(file("started")));
    process.kill(Number(readFileSync(file("pid"), "utf8")), "SIGKILL");
    await expect(killed).rejects.toMatchObject({ code: "TERRAFORM_FAILED" });
    writeFileSync(file("go"), "");
    await tf.apply();
    expect(await tf.plan(file("p"))).toBe(false);
  });

  it("says that the disk is full", async () => {
    writeStack("true", "true");
    const tf = open(program);
    await tf.init();
    await expect(open(program, { minFreeBytes: 2 ** 60 }).apply()).rejects.toMatchObject({
      code: "TERRAFORM_DISK_FULL",
    });
    symlinkSync("/dev/full", file(`.${STATE}.lock.info`));
    await expect(tf.apply()).rejects.toMatchObject({ code: "TERRAFORM_DISK_FULL", exit: 4 });
    rmSync(file(`.${STATE}.lock.info`));
    await tf.apply();
    expect(await tf.plan(file("p"))).toBe(false);
  });

  it.each([
    ["stale", async (tf: ReturnType<typeof terraform>): Promise<void> => tf.apply(file("p"))],
    ["damaged", async (): Promise<void> => writeFileSync(file("p"), "no plan")],
    ["missing", async (): Promise<void> => rmSync(file("p"))],
  ])("refuses a plan file that is %s", async (_, spoil) => {
    writeStack("true", "true");
    const tf = open(program);
    await tf.init();
    await tf.plan(file("p"));
    await spoil(tf);
    await expect(tf.apply(file("p"))).rejects.toMatchObject({ code: "PLAN_UNUSABLE", exit: 2 });
  });

  it("says that the state's place changed, and does not move it by itself", async () => {
    writeStack("true", "true");
    await open(program).init();
    await open(program).apply();
    writeStack("true", "true", { terraform: { backend: { local: { path: "elsewhere.tfstate" } } } });
    await expect(open(program).init()).rejects.toMatchObject({ code: "STATE_BACKEND_CHANGED", exit: 2 });
    expect(existsSync(file("elsewhere.tfstate"))).toBe(false);
  });

  describe("with its state behind HTTP", () => {
    let service: StateService;
    beforeEach(async () => {
      service = await stateService();
    });
    afterEach(() => {
      service.server.closeAllConnections();
      service.server.close();
    });

    const remote = (): ReturnType<typeof terraform> => open(program, { localState: undefined });
    const backend = (): object => {
      const address = `http://127.0.0.1:${(service.server.address() as AddressInfo).port}/state`;
      return { backend: { http: { address, lock_address: address, unlock_address: address, retry_max: 0 } } };
    };

    it("names the command that gives back the lock of a killed run, and that command does", async () => {
      writeStack("true", `echo $PPID > pid; ${WAIT}`, { terraform: backend() });
      const tf = remote();
      await tf.init();
      const killed = tf.apply();
      await until(() => existsSync(file("started")));
      process.kill(Number(readFileSync(file("pid"), "utf8")), "SIGKILL");
      await expect(killed).rejects.toMatchObject({ code: "TERRAFORM_FAILED" });
      writeFileSync(file("go"), "");
      const refused = await tf.apply().catch((thrown) => thrown);
      expect(refused).toMatchObject({ code: "STATE_LOCKED" });
      const command = /`(.+)`/.exec(refused.fix)?.[1] ?? "";
      expect(command).toContain(JSON.parse(service.lock ?? "{}").ID);
      await promisify(execFile)("/bin/sh", ["-c", command], { env: process.env });
      await tf.apply();
      expect(await tf.plan(file("p"))).toBe(false);
    });

    it("takes back a state that it could not save, before it does anything else", async () => {
      writeStack("true", "true", { terraform: backend() });
      const tf = remote();
      await tf.init();
      service.refuses = true;
      await expect(tf.apply()).rejects.toMatchObject({ code: "TERRAFORM_FAILED" });
      expect(existsSync(file("errored.tfstate"))).toBe(true);
      service.refuses = false;
      await tf.init();
      expect(await tf.plan(file("p"))).toBe(false);
      expect(readdirSync(workDir).filter((name) => name.startsWith("errored"))).toEqual(["errored.tfstate.pushed"]);
    });
  });
});

interface StateService {
  readonly server: Server;
  state: string | undefined;
  lock: string | undefined;
  refuses: boolean;
}

/** A state service over HTTP that can refuse to save. */
async function stateService(): Promise<StateService> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString("utf8");
    const answer = (status: number, text = ""): unknown => response.writeHead(status).end(text);
    if (request.method === "GET") return answer(service.state === undefined ? 404 : 200, service.state);
    if (request.method === "LOCK" && service.lock !== undefined) return answer(423, service.lock);
    if (request.method === "POST" && service.refuses) return answer(500);
    if (request.method === "LOCK") service.lock = body;
    else if (request.method === "UNLOCK") service.lock = undefined;
    else service.state = body;
    return answer(200);
  });
  const service: StateService = { server, state: undefined, lock: undefined, refuses: false };
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return service;
}

/** Terraform and OpenTofu where the machine has them; OpenTofu is built where it has neither. */
async function usablePrograms(): Promise<readonly TerraformProgram[]> {
  const { env } = process;
  const signal = new AbortController().signal;
  const tools = {
    cacheDir: defaultCacheDir(env, homedir()),
    toolsDir: resolve("tools"),
    env,
    signal,
    onProgress: () => undefined,
  };
  const built = join(tools.cacheDir, "tools", toolKey(tools, "tofu"), "tofu");
  const found = await Promise.allSettled(
    ["terraform", "tofu", built].map((binary) => findProgram({ env, signal, binary })),
  );
  const usable = found.filter((one) => one.status === "fulfilled").map(({ value }) => value);
  return usable.length > 0 ? usable : [await findProgram({ env, signal, fallback: () => ensureTool(tools, "tofu") })];
}
