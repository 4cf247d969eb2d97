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
import { docker, pidOf, singleHost, succeed } from "../../support/docker.ts";
import { issueOperator, issueOperatorWithin, onlineAuthority } from "./online-authority.ts";

const tpm = new SoftTpm("sock");
const { dir, remove } = scratch("issuing-tpm");
const example = singleHost(dir);
const authorities = join(example.dir, "authorities");

beforeAll(async () => {
  await tpm.start();
  const { uid, gid } = runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  chmodSync(dirname(tpm.device), 0o755);
  chownSync(tpm.device, uid, gid);
  const keys = `pki:\n  issuing: { kind: tpm2, device: ${tpm.device}, folder: ${dir} }\n`;
  writeFileSync(example.file, `${readFileSync(example.file, "utf8")}\n${keys}`);
  const [key, words] = [join(dir, "root.age"), join(dir, "words")];
  writeFileSync(words, randomBytes(32).toString("hex"), { mode: 0o600 });
  const away = ["--root-key", key, "--passphrase-file", words, "--conductor", "Ada", "--witnesses", "Grace"];
  await succeed(example, ["certs", "init", ...away]);
  await succeed(example, ["images", "lock"]);
  // The rest of the deployment does not sign.
  await succeed(example, ["deploy"]);
  await issueOperatorWithin(example, 60);
}, 600_000);
afterAll(async () => {
  await example.cli(["destroy", "--volumes", "--yes"]);
  await tpm.remove();
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
