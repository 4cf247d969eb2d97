import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packItems, unpackResults } from "../../custody/kem-items.ts";
import { Kem, Use } from "../../custody/proto/custody_pb.ts";
import { grpcClient } from "../../shared/grpc/client.ts";
import type { ListedGeneration } from "../../stacks/host/custody-management.ts";
import { CustodyToken } from "../support/custody-token.ts";
import { activeOf, manage, openedBy, sealTo } from "./custody/asking.ts";
import { type CustodyProcesses, custodyProcesses, type Running } from "./custody/processes.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";

/** Custody and its broker refuse within 2 s; a machine that is busy with others may take this much longer. */
const REFUSED_MS = 2_000 + 1_000;
const SOON = { timeout: 30_000, interval: 50 };

let soft: SoftToken;
let server: CustodyToken;
let processes: CustodyProcesses;
let custody: Running;
let keyStore: { readonly kind: "pkcs11"; readonly server: string };
beforeEach(async () => {
  soft = new SoftToken();
  keyStore = { kind: "pkcs11", server: join(soft.folder, "served", "sock") };
  const file = join(soft.folder, "trustkern.yaml");
  const lines = [
    ...[
      "name: demo",
      "tenant: acme",
      "profile: dev",
      "engine: docker",
      `docker: { custodySocket: ${keyStore.server} }`,
    ],
    `custody: { kind: pkcs11, module: ${SOFTHSM}, token: ${soft.token}, pinFile: ${soft.pinFile} }`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  server = new CustodyToken(file, keyStore.server);
  processes = custodyProcesses();
  await server.start();
});
afterEach(async () => {
  await processes.end();
  await server.stop("SIGKILL");
  soft.remove();
});

async function startBoth(): Promise<ListedGeneration> {
  custody = processes.custody({ keyStore });
  processes.broker();
  await processes.until("custody", true);
  await processes.until("broker", true);
  return activeOf(processes.at("manage"));
}

/** Has one message opened: whether it was, or why not, and how long that took. */
async function ask(generation: ListedGeneration): Promise<{ readonly said: string | true; readonly ms: number }> {
  const kem = grpcClient(Kem, { address: `unix:${processes.at("open")}` });
  const { item, ciphertext } = sealTo(generation);
  const from = performance.now();
  const said = await kem.call("decapsulateBatch", { use: Use.LIVE, items: packItems([item]) }, 5_000).then(
    ({ results }) => openedBy(unpackResults(results, 1)[0], ciphertext) || "a wrong answer",
    ({ code, message }: { code: string; message: string }) => `${code} ${message}`,
  );
  kem.close();
  return { said, ms: performance.now() - from };
}

/** Asks some times: each is refused in time, and for this reason. */
async function expectRefused(generation: ListedGeneration, why: string): Promise<void> {
  for (let times = 0; times < 3; times++) {
    const { said, ms } = await ask(generation);
    expect(said).toMatch(new RegExp(`^CUSTODY_KEM_UNAVAILABLE .*(${why})`));
    expect(ms).toBeLessThan(REFUSED_MS);
  }
}

/** It opens again by itself, and is the process that it was. */
async function expectBack(generation: ListedGeneration): Promise<void> {
  await expect.poll(async () => (await ask(generation)).said, SOON).toBe(true);
  expect([custody.child.exitCode, custody.child.signalCode]).toEqual([null, null]);
  expect(await processes.status("custody")).toMatchObject({ ready: true, sealed: false });
}

function takeTokenOut(): () => void {
  const [inside, outside] = [join(soft.folder, "tokens"), join(soft.folder, "out")];
  renameSync(inside, outside);
  return () => renameSync(outside, inside);
}

describe("custody with its keys on a token stays up, says why it opens nothing, and opens again by itself", () => {
  it("while the token's server is killed and started again", async () => {
    const generation = await startBoth();
    expect((await ask(generation)).said).toBe(true);
    await server.stop("SIGKILL");
    await expectRefused(generation, "CUSTODY_STORE_UNREACHABLE");
    await server.start();
    await expectBack(generation);
  });

  it("while the token's server hangs", async () => {
    const generation = await startBoth();
    expect((await ask(generation)).said).toBe(true);
    process.kill(server.pid(), "SIGSTOP");
    await expectRefused(generation, "CUSTODY_STORE_UNREACHABLE|did not answer in 2000 ms");
    process.kill(server.pid(), "SIGCONT");
    await expectBack(generation);
  });

  it("while the token is out", async () => {
    const generation = await startBoth();
    const putBack = takeTokenOut();
    try {
      await expectRefused(generation, "SIGNER_TOKEN_MISSING");
    } finally {
      putBack();
    }
    await expectBack(generation);
  });

  it("while the PIN is wrong, which the token is offered once, and not again before its file has changed", async () => {
    const generation = await startBoth();
    const putBack = takeTokenOut();
    try {
      await expectRefused(generation, "SIGNER_TOKEN_MISSING");
      writeFileSync(soft.pinFile, "00000000");
    } finally {
      putBack();
    }
    const reads = await readsOf(soft.pinFile, server.pid());
    for (let times = 0; times < 4; times++) await expectRefused(generation, "SIGNER_PIN_WRONG");
    expect(await reads.end()).toBe(1);
    writeFileSync(soft.pinFile, soft.pin);
    await expectBack(generation);
  });
});

describe("custody that is started while its token's server is away", () => {
  beforeEach(() => server.stop());

  it("ends with one error that says so, so that whatever keeps it starts it later", async () => {
    custody = processes.custody({ keyStore });
    await custody.ended;
    const errors = custody.output().match(/^{"error".*$/gm) ?? [];
    expect([custody.child.exitCode, errors.length]).toEqual([4, 1]);
    expect(JSON.parse(errors[0] ?? "").error).toMatchObject({ code: "CUSTODY_STORE_UNREACHABLE" });
    await server.start();
    expect((await ask(await startBoth())).said).toBe(true);
  });

  it("stays sealed where it waits for an order, says why, and unseals once the server is there", async () => {
    custody = processes.custody({ keyStore, unseal: "on-order" });
    await processes.until("custody", false);
    const unseal = () => manage(processes.at("manage"), "unseal");
    for (let times = 0; times < 3; times++)
      await expect(unseal()).rejects.toMatchObject({ code: "CUSTODY_STORE_UNREACHABLE" });
    expect(await processes.status("custody")).toMatchObject({ ready: false, sealed: true });
    await server.start();
    expect(await unseal()).toMatchObject({ sealed: false, store: { kind: "pkcs11", keysInUse: "on-device" } });
  });
});

/** Counts how often a process opens a file from now on. */
async function readsOf(file: string, pid: number): Promise<{ readonly end: () => Promise<number> }> {
  const log = join(soft.folder, "strace");
  const args = ["-f", "-p", `${pid}`, "-o", log, "-e", "trace=openat", "-P", file];
  const tracer = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(tracer, "exit");
  await once(tracer.stderr, "data");
  return {
    end: async () => {
      tracer.kill("SIGINT");
      await ended;
      return readFileSync(log, "utf8").split("openat(").length - 1;
    },
  };
}
