import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKS, type CheckId, layerOf } from "../../../operations/verify/checks.ts";
import type { Verification } from "../../../operations/verify/result.ts";
import { foldersOf } from "../../../stacks/docker/terraform/environment.ts";
import { STACK_FILE } from "../../../stacks/docker/terraform/init.ts";
import { layoutOf } from "../../../stacks/host/layout.ts";
import { terraform } from "../../support/canary/planted.ts";
import { scratch } from "../../support/deployment.ts";
import { singleHost, succeed } from "../../support/docker.ts";

// biome-ignore lint/suspicious/noExplicitAny: the stack is changed as anybody with an editor could
type Loose = any;

const { dir, remove } = scratch("verify-boundary");
const example = singleHost(dir);
const layout = layoutOf(example.dir, "/tmp");
const stackFile = join(layout.terraformDir, STACK_FILE);

beforeAll(async () => {
  await succeed(example, ["images", "lock"]);
  await succeed(example, ["deploy", "--wait"]);
}, 400_000);
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  remove();
}, 200_000);

async function verify(...args: readonly string[]): Promise<{ readonly code: number; readonly report: Verification }> {
  const { code, stdout } = await example.cli(["verify", "boundary", "--json", ...args]);
  return { code: code ?? -1, report: JSON.parse(stdout) };
}

/** `CODE path` of every finding of a check. */
function foundBy({ results }: Verification, id: CheckId): readonly string[] {
  const { findings = [] } = results.find((result) => result.id === id) ?? {};
  return findings.map(({ code, path }) => `${code} ${path}`);
}

/** Puts another stack in the place of the deployed one, and has OpenTofu make it so, past every check of ours. */
async function deployByHand(change: (stack: Loose) => void): Promise<void> {
  const stack = JSON.parse(readFileSync(stackFile, "utf8"));
  change(stack);
  writeFileSync(stackFile, JSON.stringify(stack, null, 2));
  const { dataDir, cliConfigFile } = foldersOf(layout.terraformDir);
  const env = { TF_DATA_DIR: dataDir, TF_CLI_CONFIG_FILE: cliConfigFile };
  await terraform(layout.terraformDir, ["apply", "-auto-approve", "-input=false", "-no-color"], env);
}

/** Waits until every component is well, for at most 60 s: what is half up is another matter. */
async function allWell(): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(1_000)) {
    const { components } = JSON.parse((await example.cli(["status", "--json"])).stdout);
    if (components.every(({ condition }: Loose) => ["healthy", "done"].includes(condition))) return;
  }
  throw new Error("the deployment did not become well");
}

describe("a deployment as it was rendered", () => {
  it("is proven by all four layers, and what its host cannot prove is reported", async () => {
    const { code, report } = await verify();
    expect(report.results.map(({ id }) => id)).toEqual(Object.keys(CHECKS));
    const open = report.results.filter(({ outcome }) => outcome !== "proven").map(({ id, outcome }) => [id, outcome]);
    expect(open.filter(([id]) => id !== "running.encryption")).toEqual([["running.egress", "not-required"]]);
    expect(code).toBe(0);
  });
});

describe("three deployments that were broken on purpose, in one", () => {
  let code: number;
  let report: Verification;

  beforeAll(async () => {
    await deployByHand(({ resource: { docker_container: box } }) => {
      const edge = box["gw-01"].networks_advanced.find(({ name }: Loose) => name.includes("gw-01_broker_mqtts"));
      const next = edge.ipv4_address.replace(/\d+$/, (last: string) => `${Number(last) + 1}`);
      box.collector.networks_advanced.push({ name: edge.name, ipv4_address: next });
      const keys = join(layout.volumesDir, "custody", "keys");
      box["gw-01"].mounts.push({ type: "bind", source: keys, target: "/keys", read_only: true });
      box.database.ports = [{ ip: "127.0.0.1", internal: 5432, external: 5432, protocol: "tcp" }];
    });
    await allWell();
    ({ code, report } = await verify("--layers", "rendered,running"));
  }, 300_000);

  it("are refused with the exit code of a broken boundary", () => {
    expect(code).toBe(5);
  });

  it.each<[what: string, id: CheckId, found: string]>([
    ["the collector on the edge network", "rendered.networks", "RENDERED_NETWORK_MEMBER"],
    ["the collector on the edge network", "running.components", "RUNNING_NETWORKS containers.collector.networks"],
    ["the gateway with the key", "rendered.mounts", "RENDERED_MOUNT"],
    ["the gateway with the key", "running.mounts", "RUNNING_MOUNT containers.gw-01.mounts"],
    ["the database's port", "rendered.ports", "RENDERED_PORT"],
    ["the database's port", "running.listeners", "RUNNING_PUBLISHED containers.database.ports"],
    ["any change by hand", "rendered.deployed", "DEPLOYED_STACK_DIFFERS"],
  ])("%s is caught by %s", (_, id, found) => {
    expect(foundBy(report, id)).toContainEqual(expect.stringContaining(found));
    expect(report.results.find((result) => result.id === id)?.outcome).toBe("broken");
  });

  it("are in the evidence, which says so first and verifies", async () => {
    const file = join(dir, "broken.json");
    const written = await example.cli(["evidence", "-o", file, "--layers", "model,rendered,running"]);
    expect([written.code, written.stdout.split(":")[0]]).toEqual([5, "BROKEN"]);
    const verified = await example.cli(["evidence", "verify", file, "--key", join(dir, "broken.pub"), "--json"]);
    expect(verified.code).toBe(5);
    expect(JSON.parse(verified.stdout)).toMatchObject({ verdict: "broken" });
  });

  it("are mended by another deploy", async () => {
    await succeed(example, ["deploy", "--wait"]);
    const mended = await verify("--layers", "rendered,running");
    const open = mended.report.results.filter(({ outcome }) => outcome === "broken" || outcome === "not-proven");
    expect(open.map(({ id }) => id).filter((id) => id !== "running.encryption")).toEqual([]);
    expect(mended.report.results.every(({ id }) => ["rendered", "running"].includes(layerOf(id)))).toBe(true);
    // Two layers of four are no proof.
    expect(mended.code).toBe(1);
  });
});
