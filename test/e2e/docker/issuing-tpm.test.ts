import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyCrl } from "../../../certs/crl.ts";
import { fetchCrl } from "../../../certs/step-ca/client.ts";
import { ONLINE_CLASSES, stepCaComponent } from "../../../certs/step-ca/names.ts";
import { verifyChain } from "../../../certs/verify-chain.ts";
import { runAsOf } from "../../../stacks/docker/life/options.ts";
import { SoftTpm } from "../../integration/signers/soft-tpm.ts";
import { scratch } from "../../support/deployment.ts";
import { docker, openDatabase, pidOf, singleHost, succeed } from "../../support/docker.ts";
import { issueOperator, issueOperatorWithin, onlineAuthority } from "./online-authority.ts";

const tpm = new SoftTpm("sock");
const custodyTpm = new SoftTpm("sock");
const { dir, remove } = scratch("issuing-tpm");
const example = singleHost(dir);
const authorities = join(example.dir, "authorities");

beforeAll(async () => {
  const { uid, gid } = runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  for (const each of [tpm, custodyTpm]) {
    await each.start();
    chmodSync(dirname(each.device), 0o755);
    for (const socket of [each.device, `${each.device}.ctrl`]) chownSync(socket, uid, gid);
  }
  const issuing = `pki:\n  issuing: { kind: tpm2, device: ${tpm.device}, folder: ${dir} }\n`;
  const keys = `${issuing}custody: { kind: tpm2, device: ${custodyTpm.device} }\n`;
  writeFileSync(example.file, `${readFileSync(example.file, "utf8")}\n${keys}`);
  const [key, words] = [join(dir, "root.age"), join(dir, "words")];
  writeFileSync(words, randomBytes(32).toString("hex"), { mode: 0o600 });
  const away = ["--root-key", key, "--passphrase-file", words, "--conductor", "Ada", "--witnesses", "Grace"];
  await succeed(example, ["certs", "init", ...away]);
  await succeed(example, ["images", "build"]);
  await succeed(example, ["images", "lock"]);
  // The rest of the deployment does not sign.
  await succeed(example, ["deploy"]);
  await issueOperatorWithin(example, 60);
}, 600_000);
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  await tpm.remove();
  await custodyTpm.remove();
  remove();
}, 200_000);

describe("a deployment whose issuing keys are in a TPM", () => {
  it("issues through the operators' authority, also after it read its configuration again", async () => {
    const { rootPem } = onlineAuthority(example, "operators");
    const chain = { rootPem, at: new Date(), purpose: "client" } as const;
    expect(verifyChain({ ...chain, chainPem: await issueOperator(example) })).toEqual([]);
    process.kill(await pidOf("operators-ca"), "SIGHUP");
    await pause(2_000);
    expect(verifyChain({ ...chain, chainPem: await issueOperator(example) })).toEqual([]);
    expect((await docker(["logs", "operators-ca"])).stderr).not.toContain("Reload failed");
  });

  it("opens messages with keys that another TPM has sealed, also after custody started again", async () => {
    const database = await openDatabase(example);
    const rows = async () => Number((await database.query<{ n: string }>("SELECT count(*) AS n FROM telemetry"))[0]?.n);
    await expect.poll(rows, { timeout: 60_000 }).toBeGreaterThan(20);
    await docker(["restart", "custody"]);
    const before = await rows();
    await expect.poll(rows, { timeout: 60_000 }).toBeGreaterThan(before + 20);
    const { custody } = JSON.parse((await example.cli(["status", "--json"])).stdout);
    expect(custody).toMatchObject({ sealed: false, kind: "tpm2", custodyClass: "software" });
    const kept = readdirSync(join(example.dir, "volumes", "custody", "keys"));
    expect(kept).toEqual(expect.arrayContaining(["audit-signer.key", "wrapping-key.tpm2"]));
    await database.close();
  }, 200_000);

  it.each(ONLINE_CLASSES)("publishes a list that the key of %s signed", async (leafClass) => {
    const pem = await fetchCrl(onlineAuthority(example, leafClass));
    const issuerPem = readFileSync(join(authorities, `${leafClass}.crt`), "utf8");
    expect(await verifyCrl({ pem, issuerPem, now: new Date() })).toEqual([]);
  });

  it.each(ONLINE_CLASSES)("has no key of %s but what this TPM alone opens, and no other class's", async (leafClass) => {
    const store = join(example.dir, "secrets", stepCaComponent(leafClass));
    const own = `${leafClass}.tss2.pem`;
    expect(readdirSync(store).sort()).toEqual(["ca.crt", "ca.json", "intermediate.crt", own].sort());
    expect(readFileSync(join(store, own), "utf8")).toContain("BEGIN TSS2 PRIVATE KEY");
    expect(existsSync(join(authorities, `${leafClass}.key`))).toBe(false);
  });
});
