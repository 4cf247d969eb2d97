import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCrl, verifyCrl } from "../../../certs/crl.ts";
import { loadSigner } from "../../../certs/signers/index.ts";
import { fetchCrl } from "../../../certs/step-ca/client.ts";
import { ONLINE_CLASSES, stepCaComponent } from "../../../certs/step-ca/names.ts";
import { verifyChain } from "../../../certs/verify-chain.ts";
import { SOFTHSM, SoftToken } from "../../integration/signers/soft-token.ts";
import { CustodyToken } from "../../support/custody-token.ts";
import { scratch } from "../../support/deployment.ts";
import { docker, openDatabase, pidOf, singleHost, succeed } from "../../support/docker.ts";
import { spoolIsEmpty } from "../../support/drained.ts";
import { compareLedger } from "../../support/ledger.ts";
import { TokenServer } from "../../support/token-server.ts";
import { inspectRaw, issueOperator, issueOperatorWithin, onlineAuthority } from "./online-authority.ts";

const soft = new SoftToken();
const server = new TokenServer(SOFTHSM);
const { dir, remove } = scratch("issuing-token");
const example = singleHost(dir);
const custodySocket = join(dir, "custody-token", "sock");
const custodyToken = new CustodyToken(example.file, custodySocket);
const yaml = `${readFileSync(example.file, "utf8").replace(
  /^docker:/m,
  `docker:\n  tokenSocket: ${server.socket}\n  custodySocket: ${custodySocket}`,
)}
custody: { kind: pkcs11, module: ${SOFTHSM}, token: custody, pinFile: ${join(soft.folder, "custody.pin")} }
`;
const authorities = join(example.dir, "authorities");
const ISSUERS = ONLINE_CLASSES.map(stepCaComponent);
const outside = { file: join(dir, "root.age"), passphrase: join(dir, "passphrase") };

function say(token = soft.token, pinFile = soft.pinFile): void {
  const keys = `pki:\n  issuing: { kind: pkcs11, module: ${SOFTHSM}, token: ${token}, pinFile: ${pinFile} }\n`;
  writeFileSync(example.file, `${yaml}\n${keys}`);
}

/** Code, message and exit code of a command that fails. */
async function failure(args: readonly string[]) {
  const { code, stdout, stderr } = await example.cli([...args, "--json"]);
  expect(`${stdout}${stderr}`).not.toContain(soft.pin);
  return { exit: code, ...(JSON.parse(stdout) as { error: { code: string; message: string; fix: string } }).error };
}

beforeAll(async () => {
  say();
  writeFileSync(outside.passphrase, randomBytes(32).toString("hex"), { mode: 0o600 });
  await server.start(soft.token);
  soft.make("custody");
  soft.pinIn("custody.pin", soft.pin);
  await custodyToken.start();
  await succeed(example, ["images", "build"]);
  await succeed(example, ["images", "lock"]);
  const away = ["--root-key", outside.file, "--passphrase-file", outside.passphrase];
  await succeed(example, ["certs", "init", ...away, "--conductor", "Ada", "--witnesses", "Grace"]);
}, 900_000);
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  await custodyToken.stop();
  await server.remove();
  soft.remove();
  remove();
}, 200_000);

describe("before any container is made", () => {
  it("refuses without what listens on the token's socket, and doctor says so too", async () => {
    await server.stop();
    const refused = await failure(["deploy"]);
    expect(refused).toMatchObject({ exit: 4, code: "HOST_KEYS_UNREACHABLE" });
    expect(refused.message).toContain(`there is no socket "${server.socket}"`);
    const { code, stdout } = await example.cli(["doctor", "--json"]);
    const { findings } = JSON.parse(stdout) as { findings: readonly { check: string; level: string }[] };
    expect(findings.filter(({ check }) => check === "issuing keys")).toMatchObject([{ level: "problem" }]);
    expect(code).toBe(1);
    await server.start(soft.token);
  });

  it("refuses a wrong PIN, which no container tries", async () => {
    writeFileSync(soft.pinFile, "99999999");
    expect(await failure(["deploy"])).toMatchObject({ exit: 3, code: "SIGNER_PIN_WRONG" });
    writeFileSync(soft.pinFile, `${soft.pin}\n`);
  });

  it("refuses a token of another label than the ceremony's", async () => {
    say("another");
    const refused = await failure(["deploy"]);
    expect(refused).toMatchObject({ exit: 4, code: "HOST_KEYS_UNREACHABLE" });
    expect(refused.message).toContain('the key of gateways is on the token "trustkern-test"');
    say();
  });

  it("refuses a folder in which containers would see more than the socket", async () => {
    const stray = join(server.folder, "docker.sock");
    writeFileSync(stray, "");
    expect((await failure(["deploy"])).message).toContain("holds docker.sock too");
    rmSync(stray);
  });

  it("has made none", async () => {
    expect((await docker(["ps", "-aq", "--filter", "label=trustkern.deployment=single-host"])).stdout).toBe("");
  });
});

describe("a deployment whose issuing keys are on a token", () => {
  beforeAll(async () => {
    await succeed(example, ["deploy"]);
    await issueOperatorWithin(example, 60);
  }, 400_000);

  it("issues through the operators' authority, with a chain to the root of the ceremony", async () => {
    const [chainPem, { rootPem }] = [await issueOperator(example), onlineAuthority(example, "operators")];
    expect(verifyChain({ chainPem, rootPem, at: new Date(), purpose: "client" })).toEqual([]);
    expect(chainPem).toContain(readFileSync(join(authorities, "operators.crt"), "utf8").trim());
  });

  it.each(ONLINE_CLASSES)("publishes a list that the key of %s signed", async (leafClass) => {
    const pem = await fetchCrl(onlineAuthority(example, leafClass));
    const issuerPem = readFileSync(join(authorities, `${leafClass}.crt`), "utf8");
    expect(await verifyCrl({ pem, issuerPem, now: new Date() })).toEqual([]);
    expect(readCrl(pem).revoked).toEqual([]);
  });

  it("opens every message with a decryption key that is on another token", async () => {
    const database = await openDatabase(example);
    const rows = async () => Number((await database.query<{ n: string }>("SELECT count(*) AS n FROM telemetry"))[0]?.n);
    await expect.poll(rows, { timeout: 60_000 }).toBeGreaterThan(20);
    const { custody } = JSON.parse((await example.cli(["status", "--json"])).stdout);
    expect(custody).toMatchObject({ sealed: false, kind: "pkcs11", custodyClass: "software" });
    // What was on its way while the token was away is opened afterwards.
    await custodyToken.stop("SIGKILL");
    await pause(3_000);
    await custodyToken.start();
    const before = await rows();
    await expect.poll(rows, { timeout: 60_000 }).toBeGreaterThan(before + 20);
    await example.control("simulator", "POST", "/stop");
    await spoolIsEmpty(example.control);
    const result = await compareLedger({ deployed: { control: example.control }, database });
    expect([result.wrong, result.quarantined]).toEqual([[], []]);
    expect(result.acknowledged.length).toBeGreaterThan(40);
    await database.close();
  }, 300_000);

  it("has those keys on the token alone, where nothing reads them", async () => {
    for (const name of ISSUERS) {
      const store = join(example.dir, "secrets", name);
      expect(readdirSync(store).sort()).toEqual(["ca.crt", "ca.json", "intermediate.crt", "token.pin"]);
    }
    for (const leafClass of ONLINE_CLASSES) {
      expect(existsSync(join(authorities, `${leafClass}.key`))).toBe(false);
      // It opens no key that can be read out of its token.
      const signer = await loadSigner({ kind: "pkcs11", ...soft.key(`single-host-${leafClass}`) });
      await signer.close();
    }
  });

  it("tells the PIN to nobody who asks the engine or the kernel about the container", async () => {
    for (const name of ISSUERS) {
      const process = await pidOf(name);
      const state = join(example.dir, "terraform", "terraform.tfstate");
      const files = [`/proc/${process}/environ`, `/proc/${process}/cmdline`, state];
      const known = [
        await inspectRaw(name),
        await docker(["logs", name]),
        files.map((file) => readFileSync(file, "utf8")),
      ];
      expect(JSON.stringify(known)).not.toContain(soft.pin);
    }
  });

  it("lets the two authorities alone see the socket, and nobody write to its folder", async () => {
    const names = (await docker(["ps", "--format", "{{.Names}}", "--filter", "label=trustkern.deployment=single-host"]))
      .stdout;
    const seeing: string[] = [];
    for (const name of names.trim().split("\n")) {
      const { Mounts, HostConfig } = await inspectRaw(name);
      for (const { Source, RW } of Mounts as readonly { readonly Source: string; readonly RW: boolean }[]) {
        if (!Source.startsWith(server.folder)) continue;
        seeing.push(name);
        expect([Source, RW]).toEqual([server.folder, false]);
      }
      expect(HostConfig.Devices ?? []).toEqual([]);
    }
    expect(seeing.sort()).toEqual([...ISSUERS].sort());
  });

  it("has nothing to plan, and no drift", async () => {
    expect((await example.cli(["plan", "--detailed-exitcode"])).code).toBe(0);
    const { components } = JSON.parse((await example.cli(["status", "--json"])).stdout);
    const own = components.filter(({ name }: { name: string }) => ISSUERS.some((issuer) => issuer === name));
    expect(own).toMatchObject(ISSUERS.map(() => ({ condition: "healthy", drift: [] })));
  });

  it("reads its configuration again with the token open", async () => {
    process.kill(await pidOf("operators-ca"), "SIGHUP");
    await pause(2_000);
    await issueOperator(example);
    expect((await docker(["logs", "operators-ca"])).stderr).not.toContain("Reload failed");
  });

  it("signs with the key that a rotation made on the token, without a restart", async () => {
    const before = readFileSync(join(authorities, "operators.crt"), "utf8").trim();
    const { RestartCount, State } = await inspectRaw("operators-ca");
    const people = ["--conductor", "Ada", "--witnesses", "Grace", "--yes"];
    await succeed(example, ["certs", "rotate", "--what", "intermediate:operators", ...people]);
    const chainPem = await issueOperator(example);
    expect(chainPem).not.toContain(before);
    expect(chainPem).toContain(readFileSync(join(authorities, "operators.crt"), "utf8").trim());
    const after = await inspectRaw("operators-ca");
    expect([after.RestartCount, after.State.StartedAt]).toEqual([RestartCount, State.StartedAt]);
  }, 400_000);

  it("issues again by itself once the token's server is back, also after a reload", async () => {
    await server.stop();
    await expect(issueOperator(example)).rejects.toMatchObject({ code: "STEP_CA_REFUSED" });
    await server.start(soft.token);
    await issueOperatorWithin(example, 60);
    expect((await inspectRaw("operators-ca")).RestartCount).toBeGreaterThan(0);
  });

  it("says at deploy that the server has another token", async () => {
    soft.make("another");
    await server.stop();
    await server.start("another");
    await docker(["restart", ...ISSUERS]);
    const refused = await failure(["deploy", "--wait"]);
    expect(refused).toMatchObject({ exit: 4, code: "HOST_KEYS_UNREACHABLE" });
    expect(refused.message).toContain("could not find PKCS#11 token");
    expect(refused.fix).toContain(server.socket);
  });
});
