import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { deployedStack, lendStack } from "./stack-file.ts";

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-stack-"));
  file = join(dir, "cdk.tf.json");
});
afterEach(() => rmSync(dir, { recursive: true }));
const deployed = () => readFileSync(deployedStack(dir), "utf8");

it("has what is planned for the time of the plan alone, and what is deployed all the while", () => {
  writeFileSync(file, "old");
  {
    using _ = lendStack(dir, "new");
    expect([readFileSync(file, "utf8"), deployed()]).toEqual(["new", "old"]);
  }
  expect([readFileSync(file, "utf8"), deployed(), readdirSync(dir)]).toEqual(["old", "old", ["cdk.tf.json"]]);
});

it("leaves nothing where nothing was deployed", () => {
  lendStack(dir, "new")[Symbol.dispose]();
  expect(readdirSync(dir)).toEqual([]);
});

it("keeps what is deployed from now on", () => {
  writeFileSync(file, "old");
  const lent = lendStack(dir, "new");
  lent.keep();
  expect(deployed()).toBe("new");
  lent[Symbol.dispose]();
  expect([deployed(), readdirSync(dir)]).toEqual(["new", ["cdk.tf.json"]]);
});

it("gives back what a run that was killed had put aside", () => {
  writeFileSync(file, "old");
  lendStack(dir, "killed");
  expect(deployed()).toBe("old");
  lendStack(dir, "next")[Symbol.dispose]();
  expect([deployed(), existsSync(`${file}.deployed`)]).toEqual(["old", false]);
});

it("touches nothing where it is the one that is deployed", () => {
  writeFileSync(file, "same");
  const lent = lendStack(dir, "same");
  expect(readdirSync(dir)).toEqual(["cdk.tf.json"]);
  lent[Symbol.dispose]();
  expect(deployed()).toBe("same");
});
