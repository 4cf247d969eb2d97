import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

let dir: string;
let supervisor: Supervisor;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-supervisor-"));
  supervisor = createSupervisor(process.execPath, {}, Date.now);
});
afterEach(async () => {
  await supervisor.stop();
  rmSync(dir, { recursive: true });
});

function start(program: string): void {
  writeFileSync(join(dir, "p.mjs"), program);
  supervisor.start({ name: "p", args: [join(dir, "p.mjs")], logFile: join(dir, "p.ndjson") });
}

async function until<T>(what: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + 8_000; Date.now() < end; await sleep(10)) {
    const seen = what();
    if (seen !== undefined && seen !== false) return seen;
  }
  throw new Error("not seen in 8 s");
}

const forever = "setInterval(() => {}, 1000);";

describe("supervisor", () => {
  it("starts a process again that was killed", async () => {
    start(forever);
    const first = await until(() => supervisor.pid("p"));
    process.kill(first, "SIGKILL");
    const second = await until(() => (supervisor.pid("p") !== first ? supervisor.pid("p") : undefined));
    expect(supervisor.restarts("p")).toBe(1);
    expect(second).not.toBe(first);
    expect(supervisor.failure()).toBeUndefined();
  });

  it.runIf(process.platform === "linux")("lets no process dump its memory to a disk, nor allow itself to", async () => {
    start(`import { readFileSync } from "node:fs"; console.log(readFileSync("/proc/self/limits", "utf8")); ${forever}`);
    const limits = await until(() => readFileSync(join(dir, "p.ndjson"), "utf8").match(/^Max core file size.*$/m)?.[0]);
    expect(limits).toMatch(/^Max core file size\s+0\s+0\s/);
  });

  it("backs off from a process that dies at once", async () => {
    start("process.exit(255);");
    await sleep(1_500);
    expect(supervisor.restarts("p")).toBeGreaterThanOrEqual(1);
    expect(supervisor.restarts("p")).toBeLessThanOrEqual(4);
  });

  it("gives up on a process whose configuration is wrong, and hands its error on", async () => {
    start(
      `console.error(JSON.stringify({ error: { code: "SERVICE_CONFIG", message: "port: too big", fix: "lower it" } })); process.exit(2);`,
    );
    expect(await until(() => supervisor.failure())).toMatchObject({ code: "SERVICE_CONFIG", exit: 2, fix: "lower it" });
    expect(supervisor.restarts("p")).toBe(0);
  });

  it("starts a process again once settled, whatever it says", async () => {
    supervisor.settle();
    start("process.exit(4);");
    await until(() => supervisor.restarts("p") > 0);
    expect(supervisor.failure()).toBeUndefined();
  });

  it("says what a process printed that ended without an error of ours", async () => {
    start(`console.error("something broke"); process.exit(4);`);
    expect(await until(() => supervisor.failure())).toMatchObject({
      code: "SERVICE_FAILED",
      message: expect.stringContaining("something broke"),
    });
  });

  it("hands its own environment to no process", async () => {
    process.env.TK_SUPERVISOR_CANARY = "canary";
    start(`console.log(JSON.stringify(process.env)); ${forever}`);
    const log = await until(() => readFileSync(join(dir, "p.ndjson"), "utf8"));
    delete process.env.TK_SUPERVISOR_CANARY;
    expect(log).not.toContain("canary");
  });

  it("ends a process that ignores SIGTERM, and starts nothing after stop", async () => {
    start(`process.on("SIGTERM", () => {}); console.log("up"); ${forever}`);
    await until(() => readFileSync(join(dir, "p.ndjson"), "utf8"));
    const pid = await until(() => supervisor.pid("p"));
    await supervisor.stop();
    expect(() => process.kill(pid, 0)).toThrow();
    expect(supervisor.pid("p")).toBeUndefined();
  });
});
