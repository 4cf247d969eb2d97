import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditLog } from "../../custody/audit/log.ts";
import { rawKey } from "../../custody/backends/contract/key-store-samples.ts";
import { openKeyStore } from "../../custody/backends/index.ts";
import type { Generation } from "../../custody/generation.ts";
import { openKeyring } from "../../custody/keyring/keyring.ts";
import { FLAT } from "../../operations/verify/search/archives.ts";
import { needlesOf } from "../../operations/verify/search/needles.ts";
import { type Hit, searchFor } from "../../operations/verify/search/search.ts";
import { createKemClient, type KemClient } from "../../services/collector/kem/client.ts";
import { sealTo } from "./custody/asking.ts";
import { type CustodyProcesses, custodyProcesses } from "./custody/processes.ts";
import { keyInMemory, memoriesOf } from "./custody-shown/memory.ts";
import type { TokenProcess } from "./custody-shown/token-process.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";

const LOOKS = 10;
const BATCH = 256;

const soft = new SoftToken();
const raw = rawKey();
let processes: CustodyProcesses;
let token: ChildProcess;
let generation: Generation;
let kem: KemClient;
let pids: Readonly<Record<"custody" | "broker" | "token", number>>;
let find: (name: keyof typeof pids) => Promise<readonly Hit[]>;
let opened = 0;
let flowing = true;
let flow: Promise<void>;

beforeAll(async () => {
  processes = custodyProcesses();
  const server = processes.at("token");
  token = await startToken(server);
  generation = await importKnownKey(server);
  const custody = processes.custody({ keyStore: { kind: "pkcs11", server } });
  const broker = processes.broker();
  await processes.until("broker", true);
  pids = { custody: custody.child.pid ?? 0, broker: broker.child.pid ?? 0, token: token.pid ?? 0 };
  kem = createKemClient({ custody: { kind: "unix", socket: processes.at("open") }, onState: () => undefined });
  flow = keepOpening();
  const publicKey = {
    name: "public key",
    homes: [],
    cores: [{ what: "key", bytes: hex(generation.publicKey) }],
  } as const;
  const search = searchFor(needlesOf([keyInMemory("private key", raw), publicKey]), FLAT);
  find = (name) => search(memoriesOf({ [name]: pids[name] }));
}, 120_000);
afterAll(async () => {
  flowing = false;
  await flow;
  kem.close();
  await processes.end();
  token.kill();
  soft.remove();
});

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const namesIn = (hits: readonly Hit[]): readonly string[] => [...new Set(hits.map(({ canary }) => canary))];

async function startToken(socket: string): Promise<ChildProcess> {
  const place = { module: SOFTHSM, token: soft.token, pinFile: soft.pinFile, keyPrefix: "memory" };
  const what: TokenProcess = { kind: "pkcs11", ...place, socket };
  const program = join(import.meta.dirname, "custody-shown/token-process.ts");
  const args = ["--disable-warning=ExperimentalWarning", program, JSON.stringify(what)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  for (let left = 600; !existsSync(socket); left -= 1) {
    if (left === 0 || child.exitCode !== null) throw new Error("the token's process did not start");
    await sleep(50);
  }
  return child;
}

/** Has the active generation be one whose private key this test knows, before custody runs: it is handed to the token alone. */
async function importKnownKey(server: string): Promise<Generation> {
  const store = await openKeyStore({ kind: "pkcs11", server });
  const clock = () => new Date();
  const audit = await openAuditLog({ folder: processes.at("audit"), signer: store.signer, clock, limitMs: 60_000 });
  const keyring = await openKeyring({ tenant: "acme", store, audit, folder: processes.at("state"), clock });
  const { keyId } = await keyring.importKey("op-test", raw, { state: "next" });
  const active = await keyring.activate("op-test", keyId);
  await keyring.close();
  await audit.close();
  await store.close();
  return active;
}

async function keepOpening(): Promise<void> {
  const { item } = sealTo({ keyId: generation.keyId, publicKey: hex(generation.publicKey) });
  while (flowing) {
    const secrets = await kem.open(Array.from({ length: BATCH }, () => item));
    opened += secrets.filter((secret) => secret instanceof Uint8Array).length;
  }
}

describe("while messages flow whose key is on a token that another process drives", () => {
  it.each(["custody", "broker"] as const)(`the %s has no private key in memory, at ${LOOKS} looks`, async (name) => {
    for (let look = 0; look < LOOKS; look += 1) {
      const before = opened;
      expect(namesIn(await find(name))).not.toContain("private key");
      while (opened === before) await sleep(10);
    }
  });

  it("custody's memory is searched whole: the public key is found", async () => {
    expect(namesIn(await find("custody"))).toEqual(["public key"]);
  });

  it("the private key is found in the process that drives the token, which is software here", async () => {
    await expect.poll(async () => namesIn(await find("token")), { timeout: 60_000 }).toContain("private key");
  });
});
