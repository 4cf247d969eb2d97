import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { hostConfigFile } from "../../../stacks/docker/mounts.ts";
import { type Layout, layoutOf } from "../../../stacks/host/layout.ts";
import { DEPLOYMENTS, renderedDeployment } from "../../../test/support/rendered.ts";
import { readDeployed } from "./deployed.ts";

const { model } = renderedDeployment(DEPLOYMENTS["single-host"]).subject;
let layout: Layout;

beforeEach(() => {
  layout = layoutOf(join(mkdtempSync(join(tmpdir(), "tk-deployed-")), ".trustkern"), tmpdir());
});
afterEach(() => rmSync(dirname(layout.dir), { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

it("finds nothing in an empty state directory, and says so of each file", () => {
  const { stack, files } = readDeployed(layout, model);
  expect(stack).toEqual({ absent: "missing" });
  expect(files.every(({ found }) => "absent" in found && found.absent === "missing")).toBe(true);
});

it("reads the stack and every configuration file of every component", () => {
  write(join(layout.terraformDir, "cdk.tf.json"), "{}\n");
  const rendered = model.components.flatMap(({ name, files }) => files.map((file) => ({ name, ...file })));
  for (const { name, path, content } of rendered) write(hostConfigFile(layout, name, path), content);
  const { stackPath, stack, files } = readDeployed(layout, model);
  expect([stackPath, stack]).toEqual([".trustkern/terraform/cdk.tf.json", { text: "{}\n" }]);
  expect(files).toHaveLength(rendered.length);
  expect(files.every(({ found, rendered: wanted }) => "text" in found && found.text === wanted)).toBe(true);
  expect(files.map(({ path }) => path)).toContain(".trustkern/config/broker/mosquitto.conf");
});

it("says of what is there and is no file that it cannot be read", () => {
  mkdirSync(join(layout.terraformDir, "cdk.tf.json"), { recursive: true });
  expect(readDeployed(layout, model).stack).toEqual({ absent: "unreadable" });
});
