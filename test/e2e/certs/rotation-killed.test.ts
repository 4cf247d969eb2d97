import { spawn } from "node:child_process";
import { existsSync, type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Up } from "../../../stacks/embedded/up.ts";
import { scratch, upOptions, upProven } from "../../support/deployment.ts";
import { CLI } from "../../support/docker.ts";
import { delivered, refusedByGateways, rotatingDeployment } from "../../support/rotating.ts";
import { runProgram } from "../../support/run.ts";

const RATE = 100;
/** Files of a rotation by the folder that they are in: everything else changes all the time. */
const WATCHED = ["authorities", "secrets", "."] as const;
const MOST_DEATHS = 60;

const { dir, remove } = scratch("rotation-killed");
let run: Up;
let refusedBefore: number;

beforeAll(async () => {
  run = await upProven(upOptions(dir, { deployment: rotatingDeployment(RATE) }));
  refusedBefore = await refusedByGateways(run);
});
afterAll(async () => {
  await run.stop();
  remove();
});

/** Runs the command, and kills it as soon as it has changed so many files. @returns its exit code, null when it was killed */
async function rotateAndDie(args: readonly string[], afterChanges: number): Promise<number | null> {
  let changes = 0;
  const child = spawn(process.execPath, [...CLI, "--dir", dir, "certs", "rotate", ...args], { stdio: "ignore" });
  const seen = (event: string, file: string | null): void => {
    // A file gets its name by a rename; locks and what is still being written do not count.
    if (event !== "rename" || file === null || file.includes("lock") || file.endsWith(".tmp")) return;
    changes += 1;
    if (changes >= afterChanges) child.kill("SIGKILL");
  };
  const watchers: FSWatcher[] = WATCHED.map((folder) => watch(join(dir, folder), { recursive: folder !== "." }, seen));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  for (const watcher of watchers) watcher.close();
  return code;
}

it("finishes a root rotation that is killed again and again, a few changes further each time, while messages flow", async () => {
  await run.deployed.control("simulator", "POST", "/run", { rate: RATE, total: null });
  let deaths = 0;
  let args: readonly string[] = ["--what", "root"];
  while (deaths < MOST_DEATHS) {
    const code = await rotateAndDie(args, 1 + (deaths % 5));
    if (code === 0) break;
    expect(code).toBeNull();
    deaths += 1;
    // Without arguments it goes on with what has begun, once anything of it was written down.
    if (existsSync(join(dir, "rotation.json"))) args = [];
  }
  expect(deaths).toBeGreaterThan(8);
  if (deaths === MOST_DEATHS) expect(await rotateAndDie(args, Number.POSITIVE_INFINITY)).toBe(0);
  expect(existsSync(join(dir, "rotation.json"))).toBe(false);
  expect(existsSync(join(dir, "authorities", "root.old.crt"))).toBe(false);
  const result = await delivered(run, refusedBefore);
  expect(result.acknowledged.length).toBeGreaterThan(RATE * 5);
  expect(result).toMatchObject({ wrong: [], quarantined: [], refused: 0 });
  const audit = await runProgram(process.execPath, [...CLI, "--dir", dir, "certs", "audit", "verify"]);
  expect(audit).toMatchObject({ code: 0 });
}, 900_000);
