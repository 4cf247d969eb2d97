import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCli } from "./test-io.ts";

const SENSOR = "61c07083425764d982";
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-prove-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const prove = (...argv: string[]) => runCli(["envelope", "prove", ...argv, "--dir", dir, "--json"]);
const codeOf = (stdout: string) => JSON.parse(stdout).error.code;

it.each([
  ["a sensor id of 8 bytes", [SENSOR.slice(2), "1", "1"]],
  ["a sensor id that is no hex", ["z".repeat(18), "1", "1"]],
  ["a boot that is no number", [SENSOR, "one", "1"]],
  ["a seq of 2^32", [SENSOR, "1", "4294967296"]],
])("refuses %s: exit code 2", async (_, argv) => {
  const { exit, stdout } = await prove(...argv);
  expect(exit).toBe(2);
  expect(codeOf(stdout)).toBe("ENVELOPE_KEY_INVALID");
});

it("refuses a message without its seq: exit code 2", async () => {
  expect(codeOf((await prove(SENSOR, "1")).stdout)).toBe("CLI_USAGE");
});

it("is exit code 6 where no deployment was ever up", async () => {
  const { exit, stdout } = await prove(SENSOR, "4294967295", "1");
  expect(exit).toBe(6);
  expect(codeOf(stdout)).toBe("NOT_DEPLOYED");
});

it("does not trust a state directory that it did not write", async () => {
  writeFileSync(join(dir, "deployment.json"), "{}");
  expect(codeOf((await prove(SENSOR, "1", "1")).stdout)).toBe("STATE_CORRUPT");
});
