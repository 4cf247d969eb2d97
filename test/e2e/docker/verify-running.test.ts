import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { thisMachine } from "../../../operations/doctor/this-machine.ts";
import { probeImage } from "../../../operations/verify/probe/probe-image.ts";
import type { CheckResult } from "../../../operations/verify/result.ts";
import { verifyRunning } from "../../../operations/verify/running/index.ts";
import { dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { PROJECT, scratch } from "../../support/deployment.ts";
import { docker, singleHost, succeed } from "../../support/docker.ts";
import { runProgram } from "../../support/run.ts";
import { subjectOf } from "../../support/subject.ts";

const { dir, remove } = scratch("verify-running");
const example = singleHost(dir);
const FIREWALL = join(PROJECT, "stacks", "docker", "firewall.nft");
/** Networks for documentation (RFC 5737), which the test gives a way out of the host. */
const OUTSIDE = ["192.0.2.0/24", "198.51.100.0/24"];

async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** A way for the network's packets out of this host, where it is not on one of its own links anyway. */
async function giveWayOut(network: string): Promise<void> {
  const own = await run("ip", "route", "show", "exact", network);
  if (own === "") await run("ip", "route", "add", network, "via", "203.0.113.2");
}

beforeAll(async () => {
  await succeed(example, ["images", "lock"]);
  await succeed(example, ["deploy", "--wait"]);
  await run("ip", "link", "add", "tkout0", "type", "veth", "peer", "name", "tkout1");
  for (const end of ["tkout0", "tkout1"]) await run("ip", "link", "set", end, "up");
  await run("ip", "address", "add", "203.0.113.1/24", "dev", "tkout0");
  await run("ip", "neigh", "replace", "203.0.113.2", "lladdr", "02:00:00:00:00:01", "dev", "tkout0");
  for (const network of OUTSIDE) await giveWayOut(network);
  await run("nft", "-f", FIREWALL);
}, 400_000);
afterAll(async () => {
  await runProgram("nft", ["delete", "table", "inet", "trustkern"]);
  await runProgram("ip", ["link", "delete", "tkout0"]);
  await example.cli(["destroy", "--volumes", "--yes"]);
  remove();
}, 200_000);

/** The example, as a profile that lets nothing leave would have it: neither container nor network is another. */
async function verify(): Promise<readonly CheckResult[]> {
  const subject = await subjectOf(example);
  const deployment = { ...subject.deployment, egress: { mode: "isolated" as const, allow: [] } };
  return verifyRunning({ ...subject, deployment, machine: thisMachine(process.env, subject.signal) });
}

/** Of each check that is not proven its outcome, and what is found. */
function told(results: readonly CheckResult[]): Readonly<Record<string, readonly string[]>> {
  const open = results.filter(({ outcome, id }) => outcome !== "proven" && id !== "running.encryption");
  return Object.fromEntries(
    open.map(({ id, outcome, seen, findings }) => [
      id,
      [
        outcome,
        ...(findings.length === 0 ? [seen] : [...new Set(findings.map(({ code, path }) => `${code} ${path}`))]),
      ],
    ]),
  );
}

it("proves the example in less than two minutes, and leaves no helper behind", async () => {
  const started = Date.now();
  expect(told(await verify())).toEqual({});
  expect(Date.now() - started).toBeLessThan(120_000);
  expect(await dockerOutput(docker, ["ps", "--all", "--quiet", "--filter", "label=trustkern.probe"])).toBe("");
}, 180_000);

describe("finds", () => {
  it("packets that leave, and services of the host that answer, where the host has no rules", async () => {
    await run("nft", "delete", "table", "inet", "trustkern");
    const { "running.egress": egress = [], ...others } = told(await verify());
    await run("nft", "-f", FIREWALL);
    expect(others).toEqual({});
    expect(egress).toEqual(
      expect.arrayContaining(["broken", "RUNNING_EGRESS containers.broker", "RUNNING_EGRESS containers.loki"]),
    );
    expect(egress).not.toContain("RUNNING_EGRESS containers.custody");
  }, 180_000);

  it("a rule of the host that lets the web out, and nothing else", async () => {
    await run(
      "nft",
      "insert",
      "rule",
      "inet",
      "trustkern",
      "forward",
      "iifname",
      "tkp-*",
      "tcp",
      "dport",
      "443",
      "accept",
    );
    const { "running.egress": egress = [] } = told(await verify());
    await run("nft", "-f", FIREWALL);
    expect(egress).toEqual(expect.arrayContaining(["broken", "RUNNING_EGRESS containers.broker"]));
  }, 180_000);

  it("a component in a gateway's network, a stranger in another's, a listener beside a program, and who is away", async () => {
    const probe = await probeImage(docker, (await subjectOf(example)).images);
    const program = "require('node:net').createServer(() => {}).listen(4444, '0.0.0.0')";
    const beside = ["run", "--detach", "--rm", "--user", "10001:10001", "--entrypoint", "/usr/bin/node"];
    await dockerOutput(docker, ["network", "connect", "tk-single-host_gw-01_broker_mqtts", "collector"]);
    await dockerOutput(docker, [...beside, "--name", "sidecar", "--network", "container:gw-01", probe, "-e", program]);
    await dockerOutput(docker, [
      ...beside,
      "--name",
      "stranger",
      "--network",
      "tk-single-host_shipper_loki_https",
      probe,
      "-e",
      program,
    ]);
    await dockerOutput(docker, ["stop", "operators-ca"]);
    const results = told(await verify());
    await docker(["rm", "--force", "sidecar", "stranger"]);
    await docker(["network", "disconnect", "tk-single-host_gw-01_broker_mqtts", "collector"]);
    await docker(["start", "operators-ca"]);
    expect(results["running.components"]).toEqual([
      "broken",
      "RUNNING_UNWELL containers.operators-ca",
      "RUNNING_NETWORKS containers.collector.networks",
      "RUNNING_STRANGER containers.stranger",
      "RUNNING_STRANGER containers.sidecar",
    ]);
    expect(results["running.listeners"]).toEqual(["broken", "RUNNING_LISTENER containers.gw-01.ports"]);
    // The listener's port is one more, which the broker and others on the gateway's networks reach.
    expect(results["running.refused"]).toEqual(
      expect.arrayContaining(["broken", "RUNNING_REACHED containers.collector", "RUNNING_REACHED containers.broker"]),
    );
    for (const id of ["running.flows", "running.tls.accepted", "running.egress"])
      expect(results[id]).toEqual(["not-proven", expect.stringContaining("operators-ca does not run")]);
  }, 180_000);

  it("a container that was made anew with the secrets of another", async () => {
    const secrets = join(example.dir, "secrets", "custody");
    const probe = await probeImage(docker, (await subjectOf(example)).images);
    await dockerOutput(docker, ["rm", "--force", "shipper"]);
    const mount = `type=bind,source=${secrets},target=/run/other,readonly`;
    const command = ["--entrypoint", "/usr/bin/node", probe, "-e", "setInterval(() => {}, 1e6)"];
    await dockerOutput(docker, [
      "run",
      "--detach",
      "--name",
      "shipper",
      "--network",
      "none",
      "--mount",
      mount,
      ...command,
    ]);
    const results = told(await verify());
    await docker(["rm", "--force", "shipper"]);
    expect(results["running.mounts"]).toEqual(["broken", "RUNNING_MOUNT containers.shipper.mounts"]);
    expect(results["running.images"]).toEqual(["broken", "RUNNING_IMAGE containers.shipper.image"]);
    expect(results["running.rights"]).toEqual(
      expect.arrayContaining(["broken", "RUNNING_RIGHT containers.shipper.rights"]),
    );
    expect(results["running.environment"]).toEqual(expect.arrayContaining(["broken"]));
  }, 180_000);
});
