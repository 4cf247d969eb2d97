import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Management } from "../../custody/proto/custody_pb.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { managementHandlers } from "../../services/custody/management.ts";
import { type TestKeys, testKeys } from "../../services/custody/test-keys.ts";
import { createGrpcServer } from "../../services/runtime/grpc/server.ts";
import { serveUnix } from "../../services/runtime/grpc/unix.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { writeState } from "../../stacks/host/state.ts";
import { observeContainers } from "../../stacks/host/trust/observe.ts";
import { signStart } from "../../stacks/host/trust/sign.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { openStartKey, pinnedStartKey } from "../../stacks/host/trust/start-key.ts";
import { inspectable } from "../../stacks/host/trust/test-host.ts";
import type { CommandContext } from "../command.ts";
import { type CustodyHost, custodyHost } from "../custody-host.ts";
import { runCli } from "../test-io.ts";

let cwd: string;
let keys: TestKeys;
let host: CustodyHost;
let closeCustody: () => Promise<void>;

/** A docker client that shows what is in a file. */
const DOCKER = '#!/bin/sh\nif [ "$1" = ps ]; then echo 1; else cat "$(dirname "$0")/containers.json"; fi\n';
const show = (user: string): void => {
  const container = inspectable("custody", "/srv/custody");
  container.Config.User = user;
  writeFileSync(join(cwd, "containers.json"), JSON.stringify([container]));
};
const env = () => ({ PATH: `${cwd}${delimiter}${process.env.PATH}`, USER: "anna" });
const run = (...argv: string[]) => runCli(argv, { cwd, env: env() });
const codeOf = async (...argv: string[]) => {
  const { exit, stdout } = await run(...argv, "--json");
  return [exit, JSON.parse(stdout).error?.code];
};
const sealed = () => keys.custodian.opened() === null;

/** A deployment in a folder, and custody's management socket, served by what serves the real one. */
async function deployed(folder: string, engine: "docker" | "embedded"): Promise<void> {
  const { tenant } = parseDeploymentYaml(readFileSync(join(folder, "trustkern.yaml"), "utf8"), "trustkern.yaml");
  const state = { schema: `trustkern.${engine}-state/1`, createdAt: "2026-01-01T00:00:00Z" } as const;
  mkdirSync(join(folder, ".trustkern"));
  writeState(join(folder, ".trustkern", "deployment.json"), { ...state, tenant, ports: {}, volumes: [] });
  host = await custodyHost({ io: { cwd: folder, now: () => new Date() }, flags: {} } as CommandContext);
  const management = createGrpcServer({ maxMessageBytes: 65_536 });
  management.add(Management, managementHandlers(keys.custodian));
  mkdirSync(dirname(host.socket), { recursive: true });
  closeCustody = await serveUnix(management, host.socket);
}

/** Signs what the docker client shows now. */
async function sign(): Promise<void> {
  const { start, layout } = host;
  if (start === undefined) throw new TypeError("the deployment has the engine embedded");
  const signer = await openStartKey(layout, "here", host.located.deployment);
  const facts = (await observeContainers(createDockerCli(env()))).map((each) => [each.name, each.facts] as const);
  const containers = Object.fromEntries(facts);
  await signStart(start, { containers, files: {}, issuedAt: new Date(0) }, signer);
}

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "tk-u-"));
  writeFileSync(join(cwd, "docker"), DOCKER);
  chmodSync(join(cwd, "docker"), 0o755);
  show("10001:10001");
  keys = testKeys();
  cpSync("examples/single-host/trustkern.yaml", join(cwd, "trustkern.yaml"));
  await deployed(cwd, "docker");
});
afterEach(async () => {
  await closeCustody();
  rmSync(cwd, { recursive: true });
});

describe("keys unseal", () => {
  it("unseals custody where everything fits, under the name of who asks", async () => {
    await sign();
    const { exit, stdout } = await run("keys", "unseal");
    expect([exit, stdout]).toEqual([0, "custody is unsealed; everything fits start manifest 1\n"]);
    expect(keys.events).toMatchObject([{ kind: "CUSTODY_UNSEALED", actor: "cli:anna" }]);
    expect((await run("keys", "unseal")).stdout).toContain("was unsealed already");
  });

  it("has one document with --json", async () => {
    await sign();
    const { stdout } = await run("keys", "unseal", "--json");
    expect(JSON.parse(stdout)).toEqual({
      schema: "trustkern.keys-unseal/1",
      manifestVersion: 1,
      wasSealed: true,
      dryRun: false,
    });
  });

  it("leaves custody sealed where something does not fit: exit code 5, each finding, an event", async () => {
    await sign();
    show("0:0");
    const { exit, stdout } = await run("keys", "unseal", "--json");
    const { error } = JSON.parse(stdout);
    expect([exit, error.code]).toEqual([5, "CUSTODY_START_REFUSED"]);
    expect(error.findings).toMatchObject([{ code: "START_CONTAINER_CHANGED", path: "containers.custody.user" }]);
    expect(sealed()).toBe(true);
    const log = readFileSync(join(cwd, ".trustkern", "logs", "deploy.ndjson"), "utf8");
    expect(JSON.parse(log).event).toMatchObject({ kind: "CUSTODY_START_REFUSED", actor: "cli:anna" });
  });

  it("leaves custody sealed where nothing was ever signed", async () => {
    expect(await codeOf("keys", "unseal")).toEqual([5, "CUSTODY_START_REFUSED"]);
    expect(sealed()).toBe(true);
  });

  it("leaves custody sealed where another key has signed than the one that --signer says", async () => {
    await sign();
    expect(await codeOf("keys", "unseal", "--signer", "00".repeat(32))).toEqual([5, "CUSTODY_START_REFUSED"]);
    expect(sealed()).toBe(true);
  });

  it("changes nothing with --dry-run, and tells what it would find", async () => {
    await sign();
    expect((await run("keys", "unseal", "--dry-run")).stdout).toContain("would be unsealed");
    show("0:0");
    expect(await codeOf("keys", "unseal", "--dry-run")).toEqual([5, "CUSTODY_START_REFUSED"]);
    expect(sealed()).toBe(true);
    expect(() => readFileSync(join(cwd, ".trustkern", "logs", "deploy.ndjson"))).toThrow();
  });

  it("says that custody is away", async () => {
    await sign();
    await closeCustody();
    expect(await codeOf("keys", "unseal")).toEqual([4, "GRPC_UNREACHABLE"]);
  });

  it.each([
    [["--signer", "abc"]],
    [["--signer", "AB".repeat(32)]],
    [["--watch", "--dry-run"]],
    [["--systemd", "--dry-run"]],
  ])("refuses %j", async (argv) => {
    expect(await codeOf("keys", "unseal", ...argv)).toEqual([2, "CLI_USAGE"]);
    expect(sealed()).toBe(true);
  });
});

describe("keys unseal --watch", () => {
  it("unseals what has started, until it is told to end", async () => {
    await sign();
    const end = new AbortController();
    const ended = runCli(["keys", "unseal", "--watch"], { cwd, env: env(), cancelled: end.signal });
    await expect.poll(sealed, { timeout: 10_000 }).toBe(false);
    end.abort();
    expect(await ended).toMatchObject({ exit: 0, stdout: "custody is unsealed; everything fits start manifest 1\n" });
  });
});

describe("keys unseal --systemd", () => {
  it("prints a unit that names the key which is pinned, and unseals nothing", async () => {
    await sign();
    const { exit, stdout } = await run("keys", "unseal", "--systemd");
    expect(exit).toBe(0);
    expect(stdout).toContain(`--signer ${fingerprintOf(pinnedStartKey(host.layout)!)} `);
    expect(sealed()).toBe(true);
  });

  it("prints none before the first manifest", async () => {
    expect(await codeOf("keys", "unseal", "--systemd")).toEqual([5, "START_MANIFEST_MISSING"]);
  });
});

describe("keys seal", () => {
  it("seals, with who and why, and again without harm", async () => {
    await keys.custodian.unseal("op-anna");
    expect((await run("keys", "seal", "--dry-run")).stdout).toContain("would be sealed");
    expect(sealed()).toBe(false);
    expect((await run("keys", "seal", "--reason", "a visit")).stdout).toContain("custody is sealed");
    expect(keys.recorded).toEqual([{ kind: "sealed", actor: "cli:anna", detail: { reason: "a visit" } }]);
    expect((await run("keys", "seal")).stdout).toContain("was sealed, and stays so");
    expect(keys.custodian.sealedBecause()).toBe("ordered");
  });

  it("has one document with --json", async () => {
    await keys.custodian.unseal("op-anna");
    const { stdout } = await run("keys", "seal", "--json");
    expect(JSON.parse(stdout)).toEqual({
      schema: "trustkern.keys-seal/1",
      sealed: true,
      wasSealed: false,
      dryRun: false,
    });
  });
});

describe.each(["seal", "unseal"])("keys %s", (command) => {
  it("needs a deployment", async () => {
    rmSync(join(cwd, ".trustkern", "deployment.json"));
    expect(await codeOf("keys", command)).toEqual([6, "NOT_DEPLOYED"]);
  });
});

describe("on the engine embedded", () => {
  beforeEach(async () => {
    await closeCustody();
    rmSync(join(cwd, ".trustkern"), { recursive: true });
    writeFileSync(join(cwd, "trustkern.yaml"), "name: a\ntenant: b\nprofile: dev\n");
    await deployed(cwd, "embedded");
  });

  it("custody is unsealed without a check: whoever runs it has started it", async () => {
    expect((await run("keys", "unseal", "--dry-run")).stdout).toBe("custody is sealed, and would be unsealed\n");
    expect(sealed()).toBe(true);
    expect((await run("keys", "unseal")).stdout).toBe("custody is unsealed\n");
    expect((await run("keys", "seal")).exit).toBe(0);
    expect(sealed()).toBe(true);
  });

  it.each(["--watch", "--systemd"])("%s is refused: there is no start to watch", async (flag) => {
    expect(await codeOf("keys", "unseal", flag)).toEqual([2, "DOCKER_ENGINE_ONLY"]);
  });
});
