import { spawn } from "node:child_process";
import { existsSync, type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CLI } from "../../support/docker.ts";
import { type Rotating, rotating } from "../../support/rotating.ts";

const RATE = 100;
/** Files of a rotation by the folder that they are in: everything else changes all the time. */
const WATCHED = ["authorities", "secrets", "."] as const;
const MOST_DEATHS = 60;

let run: Rotating;

beforeAll(async () => {
  run = await rotating("embedded", RATE);
});
afterAll(() => run.stop());

/** Runs the command, and kills it as soon as it has changed so many files. @returns its exit code, null when it was killed */
async function rotateAndDie(args: readonly string[], afterChanges: number): Promise<number | null> {
  let changes = 0;
  const child = spawn(process.execPath, [...CLI, "--dir", run.dir, "certs", "rotate", ...args], { stdio: "ignore" });
  const seen = (event: string, file: string | null): void => {
    // A file gets its name by a rename; locks and what is still being written do not count.
    if (event !== "rename" || file === null || file.includes("lock") || file.endsWith(".tmp")) return;
    changes += 1;
    if (changes >= afterChanges) child.kill("SIGKILL");
  };
  const watchers: FSWatcher[] = WATCHED.map((folder) =>
    watch(join(run.dir, folder), { recursive: folder !== "." }, seen),
  );
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  for (const watcher of watchers) watcher.close();
  return code;
}

it("finishes a root rotation that is killed again and again, a few changes further each time, while messages flow", async () => {
  const { dir } = run;
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
  const result = await run.delivered();
  expect(result.acknowledged.length).toBeGreaterThan(RATE * 5);
  expect(result).toMatchObject({ wrong: [], quarantined: [], refused: 0 });
  const audit = await run.cli(["certs", "audit", "verify"]);
  expect(audit).toMatchObject({ code: 0 });
}, 900_000);
