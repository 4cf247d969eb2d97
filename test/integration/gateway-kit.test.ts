import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CertifiedKey } from "../../certs/issue.ts";
import { kitFiles } from "../../operations/gateway-kit/kit.ts";
import { packKit } from "../../operations/gateway-kit/pack.ts";
import { projectSources } from "../../operations/gateway-kit/sources.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import type { PublishedPort } from "../../stacks/docker/ports.ts";
import { PROJECT } from "../support/deployment.ts";
import { StepCaHarness } from "./step-ca/harness.ts";
import { backendFolder, RealBackend, recordOfDevice } from "./step-ca/real-backend.ts";
import { device } from "./step-ca/requests.ts";

/** The exported kit as a process, with a real backend that has a real step-ca sign. */
const ca = new StepCaHarness();
const folder = mkdtempSync(join(tmpdir(), "tk-kit-run-"));
const platform = process.arch === "arm64" ? "linux-arm64" : "linux-amd64";
const children: ChildProcess[] = [];
let backend: RealBackend;
let made: CertifiedKey;
let token: string;

beforeAll(async () => {
  await ca.start();
  backend = await RealBackend.start(ca);
  made = await device(ca.authority("sensirio"));
  await backend.call("POST", "/v1/device-records", { record: await recordOfDevice(ca, made) });
  await backend.call("PUT", "/v1/gateways/gw-07", { hardware_id: "0a1b2c3d" });
  const issued = (await backend.call("POST", "/v1/gateways/gw-07/enrolment-tokens")).body as { token: string };
  token = issued.token;
  await exportKit();
}, 600_000);
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  backend?.stop();
  await ca.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function exportKit(): Promise<void> {
  const context = {
    projectDir: PROJECT,
    toolsDir: join(PROJECT, "tools"),
    cacheDir: defaultCacheDir(process.env, homedir()),
    env: process.env,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  const port = (component: string, name: string, external: number): PublishedPort => ({
    component,
    port: { name, port: external, protocol: "tcp", publish: true },
    external,
  });
  const { body } = await backend.call("GET", "/v1/signing-key");
  const files = kitFiles({
    deployment: { ...defaultDeployment(), engine: "docker", tenant: "acme", gatewaysElsewhere: ["gw-07"] },
    ...{ name: "gw-07", platform, address: "127.0.0.1" },
    // Nobody is where the broker should be: that is not what is looked at.
    published: [port("backend", "https", ca.ports.backend), port("broker", "mqtts", 1)],
    sources: await projectSources(context, platform),
    trust: {
      anchorsPem: ca.rootPem,
      brokerPins: `${"ab".repeat(32)}\n`,
      backendKey: (body as { public_key: string }).public_key,
    },
    token: { token, expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
  });
  writeFileSync(join(folder, "kit.tar.gz"), await packKit("gw-07", files), { mode: 0o600 });
  execFileSync("tar", ["-xzf", "kit.tar.gz"], { cwd: folder });
  writeFileSync(join(folder, "device.key"), made.keyPem, { mode: 0o600 });
  writeFileSync(join(folder, "device.crt"), made.certPem);
}

/** A machine that the kit is installed on: its log, and what it has become. */
interface Machine {
  readonly log: () => string;
  readonly identity: string;
}

/** Installs the kit into a folder, as into a mounted card, and starts what the unit starts. */
function installed(name: string): Machine {
  const card = join(folder, name);
  const script = join(folder, "trustkern-gateway-gw-07", "install.sh");
  execFileSync("sh", [script, "--root", card, "--device-key", "device.key", "--device-cert", "device.crt"], {
    cwd: folder,
    stdio: "ignore",
  });
  const file = join(card, "etc/trustkern-gateway/config.json");
  const here = readFileSync(file, "utf8")
    .replaceAll("/run/credentials/trustkern-gateway.service", `${card}/etc/trustkern-gateway`)
    .replaceAll('"/etc/', `"${card}/etc/`)
    .replaceAll("/var/lib/trustkern-gateway", `${card}/state`)
    .replaceAll("/run/trustkern-gateway", card);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(here), coap: { hosts: ["127.0.0.1"], port: 0 } }));
  const program = join(card, "opt/trustkern-gateway");
  const child = spawn(join(program, "bin/node"), [join(program, "app/main.mjs"), "--config", file], { env: {} });
  children.push(child);
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk));
  return { log: () => log, identity: join(card, "state/identity.json") };
}

it("enrols by itself, gets a certificate and a token, and both work at the backend", { timeout: 120_000 }, async () => {
  const machine = installed("first");
  await expect.poll(machine.log, { timeout: 60_000 }).toContain("ENROLLED");
  const { current } = JSON.parse(readFileSync(machine.identity, "utf8"));
  expect(new X509Certificate(current.cert).subject).toContain("CN=gw-07");
  expect(new X509Certificate(current.cert).issuer).toContain("CN=TrustKern gateways");
  const who = { certPem: current.cert, keyPem: current.key };
  const answer = await backend.call("GET", "/v1/gateway/allowlist", undefined, { who, token: current.token });
  expect(answer).toMatchObject({ status: 200 });
  expect(existsSync(join(folder, "first/etc/trustkern-gateway/enrolment.token"))).toBe(false);
});

it("is refused on a second machine, which becomes nothing", { timeout: 120_000 }, async () => {
  const machine = installed("second");
  await expect.poll(machine.log, { timeout: 60_000 }).toContain("ENROLMENT_TOKEN_USED");
  expect(existsSync(machine.identity)).toBe(false);
  expect(backend.log).toMatch(/TOKEN_AUTH_FAILED.*ENROLMENT_TOKEN_USED/);
});

it("leaves its token nowhere: not in a log, nor in what the backend and step-ca keep", () => {
  const secret = token.slice(3);
  expect([backend.log, ca.log].join().includes(secret)).toBe(false);
  for (const kept of [backendFolder(ca), join(ca.folder, "volumes")]) {
    const files = readdirSync(kept, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    expect(files.length).toBeGreaterThan(0);
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name)).includes(secret), name).toBe(false);
  }
});
