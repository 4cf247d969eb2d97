import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseSigningKey } from "../../../operations/images/signatures/signing-key.ts";
import type { CheckResult } from "../../../operations/verify/result.ts";
import { createKemClient } from "../../../services/collector/kem/client.ts";
import { activeOf, openedBy, sealTo } from "../../integration/custody/asking.ts";
import { SOFTHSM, SoftToken } from "../../integration/signers/soft-token.ts";
import { Cosign } from "../../support/cosign.ts";
import { CustodyToken } from "../../support/custody-token.ts";
import { PROJECT, scratch } from "../../support/deployment.ts";
import { docker, exampleIn, pidOf, succeed } from "../../support/docker.ts";
import { openTofu } from "../../support/opentofu.ts";
import { runProgram } from "../../support/run.ts";
import { TokenServer } from "../../support/token-server.ts";
import { Vendor } from "../../support/vendor.ts";
import { inspectRaw } from "./online-authority.ts";

const FIREWALL = join(PROJECT, "stacks", "docker", "firewall.nft");
const soft = new SoftToken();
const issuing = new TokenServer(SOFTHSM);
const { dir, remove } = scratch("eu-hosted");
const example = exampleIn(dir, "eu-hosted", await openTofu(dir));
const vendor = new Vendor();
const stranger = new Cosign();
const lockFile = join(dir, "images.lock.yaml");
const custodySocket = join(dir, "custody-token", "sock");
const custodyToken = new CustodyToken(example.file, custodySocket);
const socket = (name: string): string => join(example.dir, "run", name, "sock");

/** The example's file with what its README says to change, and tokens of SoftHSM in place of those of hardware. */
function adapt(): void {
  const file = parse(readFileSync(example.file, "utf8"));
  const on = (token: string) => ({ kind: "pkcs11", module: SOFTHSM, token, pinFile: soft.pinFile });
  const accepted = { class: "software", acceptSoftware: "SoftHSM stands in for a token in a test" };
  file.docker = { publishAddress: "127.0.0.1", tokenSocket: issuing.socket, custodySocket };
  const [host, port] = vendor.mirror.split(/[:/]/);
  const signedBy = vendor.signer.publicKey;
  file.images = { source: "registry", mirror: vendor.mirror, signedBy, foreign: "built", grafana: "absent" };
  const registry = { host, port: Number(port), protocol: "tcp", purpose: "images", region: "eu-central-1" };
  file.egress = { mode: "restricted", allow: [registry] };
  delete file.ports.grafana;
  delete file.state;
  file.pki = { root: on("plant-north-root"), issuing: on("plant-north-issuing") };
  file.custody = { ...file.custody, ...on("plant-north-custody"), ...accepted };
  writeFileSync(example.file, JSON.stringify(file));
}

/** Makes the images here, pushes them to the vendor's registry, and signs all but two of them, of which a stranger signs one. */
async function publish(): Promise<Readonly<Record<string, string>>> {
  await succeed(example, ["images", "build"]);
  const { images } = JSON.parse((await succeed(example, ["images", "list", "--json"])).stdout);
  const pushed: Record<string, string> = {};
  for (const { name, reference } of images) pushed[name] = await vendor.push(reference.slice(vendor.mirror.length + 1));
  const { gateway = "", loki = "", ...signed } = pushed;
  await vendor.signer.sign(...Object.values(signed));
  await stranger.sign(loki);
  return { gateway, loki };
}

/** Code, message and exit code of a command that fails. */
async function failure(args: readonly string[]) {
  const { code, stdout } = await example.cli([...args, "--json"]);
  return { exit: code, ...(JSON.parse(stdout) as { error: { code: string; message: string; fix: string } }).error };
}

async function statusOfCustody() {
  return JSON.parse((await example.cli(["status", "--json"])).stdout).custody;
}

async function startAgain(...names: readonly string[]): Promise<void> {
  await docker(["restart", ...names], { timeoutMs: 180_000 });
  await expect.poll(async () => (await statusOfCustody()).sealed, { timeout: 60_000 }).not.toBeNull();
}

let unsigned: Readonly<Record<string, string>> = {};
beforeAll(async () => {
  await Promise.all([vendor.start(), stranger.start()]);
  adapt();
  mkdirSync(join(dir, "custody-token"), { mode: 0o755 });
  for (const token of ["root", "issuing", "custody"]) soft.make(`plant-north-${token}`);
  await issuing.start("plant-north-issuing");
  unsigned = await publish();
  await succeed(example, ["certs", "init", "--conductor", "Ada", "--witnesses", "Grace"]);
}, 900_000);
afterAll(async () => {
  await runProgram("nft", ["delete", "table", "inet", "trustkern"]);
  await example.cli(["destroy", "--volumes", "--yes"]);
  await custodyToken.stop();
  await issuing.remove();
  soft.remove();
  await vendor.stop();
  stranger.remove();
  remove();
}, 200_000);

describe("images of the example with profile eu-hosted", () => {
  it("are not locked while its vendor has not signed each of them, and those are named", async () => {
    const refused = await failure(["images", "lock"]);
    expect(refused).toMatchObject({ exit: 5, code: "IMAGES_UNSIGNED" });
    expect(refused.message).toMatch(/^2 of \d+ .*\n {2}gateway: .*has no signature.*\n {2}loki: .*not by the key/s);
    expect(existsSync(lockFile)).toBe(false);
    expect(await failure(["deploy"])).toMatchObject({ exit: 5, code: "IMAGES_NOT_LOCKED" });
    await vendor.signer.sign(...Object.values(unsigned));
    await succeed(example, ["images", "lock"]);
    const { signer, images } = JSON.parse((await succeed(example, ["images", "list", "--json"])).stdout);
    expect(signer).toBe(parseSigningKey(vendor.publicKey(), "f").fingerprint);
    expect(new Set(images.map(({ signature }: { signature: string }) => signature))).toEqual(new Set(["checked"]));
  });

  it("are not deployed where somebody wrote another digest into the lock", async () => {
    const locked = readFileSync(lockFile, "utf8");
    const { images } = parse(locked);
    writeFileSync(lockFile, locked.replace(images.gateway.digest, images.broker.digest));
    const refused = await failure(["deploy"]);
    expect(refused).toMatchObject({ exit: 5, code: "IMAGES_MISMATCH" });
    expect(refused.message).toContain("images.gateway");
    writeFileSync(lockFile, locked);
  });
});

describe("the example with profile eu-hosted", () => {
  it("makes no container before custody's token is served", async () => {
    const refused = await failure(["deploy"]);
    expect(refused).toMatchObject({ exit: 4, code: "HOST_KEYS_UNREACHABLE" });
    expect(refused.message).toContain(`docker.custodySocket: there is no socket "${custodySocket}"`);
    expect((await docker(["ps", "-aq", "--filter", "label=trustkern.deployment=plant-north"])).stdout).toBe("");
  });

  it("is deployed, and says on what its decryption keys are", async () => {
    await custodyToken.start();
    await succeed(example, ["deploy", "--wait"]);
    expect(await statusOfCustody()).toEqual({
      ...{ sealed: false, custodyClass: "software", kind: "pkcs11" },
      acceptSoftware: "SoftHSM stands in for a token in a test",
    });
  }, 400_000);

  it("runs the bytes that its vendor signed, pulled by digest, also after a tag was moved to others", async () => {
    const locked = readFileSync(lockFile, "utf8");
    const { reference, digest } = parse(locked).images.gateway;
    const { Image } = await inspectRaw("gw-01");
    const pulled = await docker(["image", "inspect", "--format", "{{json .RepoDigests}}", Image]);
    expect(JSON.parse(pulled.stdout)).toContain(`${reference.slice(0, reference.lastIndexOf(":"))}@${digest}`);
    const name = reference.slice(vendor.mirror.length + 1);
    await vendor.push(name.replace("gateway", "broker"), name);
    expect((await example.cli(["plan", "--detailed-exitcode"])).code).toBe(0);
    expect(await failure(["images", "lock"])).toMatchObject({ exit: 5, code: "IMAGES_UNSIGNED" });
    expect(readFileSync(lockFile, "utf8")).toBe(locked);
  });

  it("has nothing to plan right after, and no drift", async () => {
    expect((await example.cli(["plan", "--detailed-exitcode"])).code).toBe(0);
    expect((await example.cli(["status"])).code).toBe(0);
  });

  it("is proven by all four layers with the rules for the host's firewall, and its evidence says so", async () => {
    expect(await runProgram("nft", ["-f", FIREWALL])).toMatchObject({ code: 0 });
    const file = join(dir, "evidence.json");
    const written = await example.cli(["evidence", "-o", file, "--evidence-key", "root-device"]);
    const { code, stdout } = await example.cli(["evidence", "verify", file, "--json"]);
    const { verdict, layers, signedOn, findings } = JSON.parse(stdout);
    const { payload } = JSON.parse(readFileSync(file, "utf8"));
    const { results } = JSON.parse(Buffer.from(payload, "base64").toString("utf8")).predicate.verification;
    // dm-crypt is the machine's own affair.
    const left = results.filter((one: CheckResult) => one.outcome !== "proven" && one.id !== "running.encryption");
    expect({ left, findings, layers, verdict, signedOn, codes: [written.code, code] }).toEqual({
      ...{ left: [], findings: [], layers: ["model", "rendered", "running", "data"], verdict: "proven" },
      ...{ signedOn: "root-device", codes: [0, 0] },
    });
  }, 400_000);

  it("opens what is sealed to its active generation, also after its token's server was killed", async () => {
    const states: string[] = [];
    const kem = createKemClient({
      custody: { kind: "unix", socket: socket("custody-broker.kem") },
      onState: (state) => states.push(state),
    });
    const { item, ciphertext } = sealTo(await activeOf(socket("custody.manage")));
    const opens = async () => openedBy((await kem.open([item]))[0], ciphertext);
    expect(await opens()).toBe(true);
    const { RestartCount, State } = await inspectRaw("custody");
    await custodyToken.stop("SIGKILL");
    const waiting = opens();
    await custodyToken.start();
    expect(await waiting).toBe(true);
    const after = await inspectRaw("custody");
    expect([after.RestartCount, after.State.StartedAt]).toEqual([RestartCount, State.StartedAt]);
    kem.close();
  });

  it("gives custody no network, no library, no PIN, and of the host nothing but that socket", async () => {
    const { HostConfig, Mounts, Config } = await inspectRaw("custody");
    expect([HostConfig.NetworkMode, HostConfig.Devices ?? []]).toEqual(["none", []]);
    const elsewhere = (Mounts as readonly { readonly Source: string; readonly RW: boolean }[]).filter(
      ({ Source }) => !Source.startsWith(example.dir),
    );
    expect(elsewhere).toMatchObject([{ Source: join(dir, "custody-token"), RW: false }]);
    const pid = await pidOf("custody");
    const [maps, environ] = ["maps", "environ"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8"));
    expect(maps).not.toMatch(/softhsm|p11-kit/);
    expect(JSON.stringify([Config, environ])).not.toContain(soft.pin);
    expect(readFileSync(`/proc/${custodyToken.pid()}/maps`, "utf8")).toContain("softhsm");
  });

  it("stays sealed after a reboot, until the host was held against what was deployed", async () => {
    const names = (await docker(["ps", "--format", "{{.Names}}", "--filter", "label=trustkern.deployment=plant-north"]))
      .stdout;
    await startAgain(...names.trim().split("\n"));
    expect(await statusOfCustody()).toMatchObject({ sealed: true, custodyClass: null });
    await succeed(example, ["keys", "unseal", "--dry-run"]);
    expect(await statusOfCustody()).toMatchObject({ sealed: true });
    await succeed(example, ["keys", "unseal"]);
    expect(await statusOfCustody()).toMatchObject({ sealed: false, custodyClass: "software" });
  }, 300_000);

  it("is not unsealed with a configuration that was changed, which is an event", async () => {
    await startAgain("custody");
    const file = join(example.dir, "config", "custody-broker", "config.json");
    const before = readFileSync(file, "utf8");
    appendFileSync(file, " ");
    const refused = await failure(["keys", "unseal"]);
    expect(refused).toMatchObject({ exit: 5, code: "CUSTODY_START_REFUSED" });
    expect(refused.message).toContain("config/custody-broker/config.json");
    expect(await statusOfCustody()).toMatchObject({ sealed: true });
    const events = readFileSync(join(example.dir, "logs", "deploy.ndjson"), "utf8");
    expect(events).toContain("CUSTODY_START_REFUSED");
    writeFileSync(file, before);
    await succeed(example, ["keys", "unseal"]);
  }, 200_000);
});
