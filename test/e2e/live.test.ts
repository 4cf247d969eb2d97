import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callControl } from "../../shared/control-client.ts";
import { PROJECT, scratch } from "../support/deployment.ts";

const COMPONENTS = [
  "database",
  "custody",
  "custody-broker",
  "broker",
  "backend",
  "collector",
  "gw-01",
  "simulator",
] as const;
const { dir, remove } = scratch("live");
const state = join(dir, "state");
let up: ChildProcess;
let lines: Record<string, unknown>[];

beforeAll(() => start(), 60_000);
afterAll(async () => {
  if (up.exitCode === null && up.signalCode === null) await ended("SIGINT");
  remove();
});

/** `up --json` without an end, until its second line of traffic. */
async function start(): Promise<void> {
  lines = [];
  const args = ["up", "--json", "--dir", state];
  up = spawn(join(PROJECT, "trustkern"), args, {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, TK_CANARY: "canary" },
  });
  if (up.stdout) createInterface({ input: up.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  await until(() => traffic().length >= 2);
}

function traffic(): Record<string, unknown>[] {
  return lines.filter(({ kind }) => kind === "traffic");
}

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 45_000; !what(); await sleep(50)) {
    if (Date.now() > end) throw new Error(`not seen in 45 s; the last line was ${JSON.stringify(lines.at(-1))}`);
  }
}

async function ended(signal: NodeJS.Signals): Promise<number | null> {
  const exit = once(up, "exit");
  up.kill(signal);
  const [code] = await exit;
  return code;
}

async function pidOf(component: string): Promise<number> {
  const socket = join(state, "run", `${component}.control`);
  return ((await callControl(socket, "GET", "/status")) as { pid: number }).pid;
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe("trustkern up without an end", () => {
  it("streams NDJSON whose first line names the schema, then the steps, then a line per second", async () => {
    expect(lines[0]).toEqual({ schema: "trustkern.up-stream/1" });
    expect(lines.slice(1, 10).map(({ kind, ok }) => [kind, ok])).toEqual(Array(9).fill(["step", true]));
    expect(traffic()[0]).toMatchObject({
      accepted: expect.any(Number),
      rejected: { gateway: { replay: 1 } },
      rows: expect.any(Number),
    });
  });

  it("hands no process its own environment, and no secret as an argument", async () => {
    const password = readFileSync(join(state, "secrets", "database", "writer.password"), "utf8");
    for (const component of COMPONENTS) {
      const pid = await pidOf(component);
      expect(readFileSync(`/proc/${pid}/environ`, "utf8")).not.toContain("canary");
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      expect(args).toContain("--permission");
      expect(args).not.toContain(password);
    }
  });

  it("goes on when the database is away for 15 s, says so, and counts on where it was", async () => {
    const before = traffic().at(-1) as { accepted: number };
    for (const end = Date.now() + 15_000; Date.now() < end; await sleep(100)) {
      const pid = await pidOf("database").catch(() => undefined);
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
    expect(up.exitCode).toBeNull();
    expect(traffic().some(({ trouble }) => typeof trouble === "string")).toBe(true);
    await until(() => {
      const last = traffic().at(-1) as { accepted: number; trouble?: string };
      return last.trouble === undefined && last.accepted > before.accepted + 20;
    });
  });

  it("keeps its counts when the collector is killed", async () => {
    const before = traffic().at(-1) as { accepted: number };
    const count = traffic().length;
    process.kill(await pidOf("collector"), "SIGKILL");
    await until(() => traffic().length > count + 3 && (traffic().at(-1) as { trouble?: string }).trouble === undefined);
    expect((traffic().at(-1) as { accepted: number }).accepted).toBeGreaterThanOrEqual(before.accepted);
  });

  it("refuses a second up on the same directory, and leaves the first alone", async () => {
    const second = spawn(join(PROJECT, "trustkern"), ["up", "--once", "--json", "--dir", state], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const said: Buffer[] = [];
    second.stdout.on("data", (chunk: Buffer) => said.push(chunk));
    const [code] = await once(second, "close");
    expect(JSON.parse(Buffer.concat(said).toString("utf8")).error).toMatchObject({ code: "STATE_LOCKED" });
    expect(code).toBe(4);
    expect(up.exitCode).toBeNull();
  });

  it("leaves no process behind when it is killed itself, and comes up again", async () => {
    const pids = await Promise.all(COMPONENTS.map(pidOf));
    await ended("SIGKILL");
    await until(() => !pids.some(isAlive));
    await start();
  }, 120_000);

  it("ends everything when its terminal is closed", async () => {
    const pids = await Promise.all(COMPONENTS.map(pidOf));
    await ended("SIGHUP");
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(state, "lock"))).toBe(false);
    await start();
  }, 60_000);

  it("ends everything when its reader has seen enough", async () => {
    const piped = join(dir, "piped");
    const command = '"$1" up --dir "$2" 2>/dev/null | head -n 2';
    const shell = spawn("sh", ["-c", command, "sh", join(PROJECT, "trustkern"), piped], { stdio: "ignore" });
    await once(shell, "exit");
    await until(() => !existsSync(join(piped, "lock")) && existsSync(join(piped, "deployment.json")));
    expect(existsSync(join(piped, "run", "gw-01.control"))).toBe(false);
  }, 60_000);

  it("obeys Ctrl-C while it proves, and resumes", async () => {
    await ended("SIGINT");
    lines = [];
    const args = ["up", "--json", "--dir", state];
    up = spawn(join(PROJECT, "trustkern"), args, { stdio: ["ignore", "pipe", "ignore"] });
    if (up.stdout) createInterface({ input: up.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
    await until(() => lines.some(({ kind }) => kind === "step"));
    const asked = Date.now();
    const code = await ended("SIGINT");
    expect(Date.now() - asked).toBeLessThan(8_000);
    expect([0, 8]).toContain(code);
    await start();
    expect(lines.filter(({ kind, ok }) => kind === "step" && ok !== true)).toEqual([]);
  }, 90_000);

  it("ends everything at Ctrl-C, with 0, and leaves neither socket nor lock", async () => {
    const pids = await Promise.all(COMPONENTS.map(pidOf));
    expect(await ended("SIGINT")).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(state, "lock"))).toBe(false);
    for (const component of COMPONENTS)
      expect(existsSync(join(state, "run", `${component}.control`)), component).toBe(false);
  });
});
