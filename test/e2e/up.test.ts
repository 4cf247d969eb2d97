import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STEP_IDS } from "../../stacks/embedded/proof/step.ts";
import { PROJECT, scratch } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";

const { dir, remove } = scratch("up");
let first: Ended;
let second: Ended;
let entered: readonly string[];
let before: Readonly<Record<string, string>>;

function trustkern(...args: readonly string[]): Promise<Ended> {
  return runProgram(join(PROJECT, "trustkern"), args, { cwd: dir, timeoutSeconds: 120 });
}

/** Lines of the ledger, to which each run adds what it issues. */
function ledger(): readonly string[] {
  return readFileSync(join(dir, "state", "authorities", "ledger.ndjson"), "utf8")
    .trimEnd()
    .split("\n");
}

/** Everything that a restart must leave as it was: authorities, keys, passwords. */
function identity(): Readonly<Record<string, string>> {
  const files = ["authorities", "secrets"].flatMap((folder) =>
    readdirSync(join(dir, "state", folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(dir, "state", folder, name),
    ),
  );
  return Object.fromEntries(
    files
      .filter((file) => statSync(file).isFile() && !/ledger\.(ndjson|head)$/.test(file))
      .map((file) => [file, readFileSync(file, "utf8")]),
  );
}

beforeAll(async () => {
  first = await trustkern("up", "--once", "--json", "--dir", join(dir, "state"));
  before = identity();
  entered = ledger();
  second = await trustkern("up", "--once", "--json", "--dir", join(dir, "state"));
}, 240_000);
afterAll(remove);

describe("trustkern up --once --json", () => {
  it("proves all nine steps in order and exits with 0", () => {
    expect(first.stderr).not.toContain("error");
    const report = JSON.parse(first.stdout);
    expect(report.steps.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
    expect(report.steps.map(({ id }: { id: string }) => id)).toEqual(STEP_IDS);
    expect(first.code).toBe(0);
  });

  it("prints one line of the documented form", () => {
    expect(first.stdout.trimEnd()).not.toContain("\n");
    const report = JSON.parse(first.stdout);
    expect(Object.keys(report)).toEqual(["schema", "steps", "accepted", "rejected", "rows"]);
    expect(report.schema).toBe("trustkern.up/1");
    for (const step of report.steps) expect(Object.keys(step)).toEqual(["id", "ok", "proof", "ms"]);
  });

  it("stores every message that it sends, and counts what it rejects with its place", () => {
    const { accepted, rejected, rows } = JSON.parse(first.stdout);
    expect(rows).toBe(accepted);
    expect(accepted).toBe(101);
    expect(rejected.gateway).toMatchObject({ "bad-signature": 1, replay: 1, "unknown-sensor": 1 });
    expect(rejected.collector).toEqual(
      expect.objectContaining({ "bad-signature": 1, replay: 1, "unknown-sensor": 1, malformed: 1 }),
    );
  });

  it("resumes with the same keys, certificates and rows", () => {
    expect(second.code).toBe(0);
    expect(identity()).toEqual(before);
    const added = ledger().slice(entered.length);
    expect(ledger().slice(0, entered.length)).toEqual(entered);
    // What the second run has shown to the backend.
    expect(added.map((line) => JSON.parse(line))).toMatchObject([{ kind: "issued", subject: "op-admin" }]);
    expect(JSON.parse(second.stdout).rows).toBe(202);
  });

  it("leaves no process, socket or lock behind", () => {
    expect(existsSync(join(dir, "state", "lock"))).toBe(false);
  });

  it("keeps every file of the state to its owner", () => {
    const open = readdirSync(join(dir, "state"), { recursive: true, encoding: "utf8" })
      .map((name) => join(dir, "state", name))
      .filter((file) => statSync(file).isFile() && (statSync(file).mode & 0o077) !== 0)
      .filter((file) => !file.includes("/volumes/database/"));
    expect(open).toEqual([]);
  });

  it("writes no secret to a log, to a configuration or to its output", () => {
    const secrets = Object.entries(before)
      .filter(([file]) => /\.(key|password)$|passphrase$/.test(file))
      .map(([, text]) => text.split("\n").find((line) => line.length > 20 && !line.startsWith("-----")) ?? text.trim());
    expect(secrets.length).toBeGreaterThanOrEqual(10);
    const shown = ["logs", "config"]
      .flatMap((folder) =>
        readdirSync(join(dir, "state", folder), { recursive: true, encoding: "utf8" }).map((name) =>
          join(dir, "state", folder, name),
        ),
      )
      .filter((file) => statSync(file).isFile())
      .map((file) => readFileSync(file, "utf8"))
      .concat(first.stdout, first.stderr, readFileSync(join(dir, "state", "deployment.json"), "utf8"));
    for (const secret of secrets) expect(shown.filter((text) => text.includes(secret))).toEqual([]);
  });
});
