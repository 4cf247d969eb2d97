import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bytesOfHex } from "../../protocol/hex.ts";
import { createKemClient, type KemClient } from "../../services/collector/kem/client.ts";
import type { CustodyState } from "../../services/collector/kem/replica.ts";
import type { ListedGeneration } from "../../stacks/host/custody-management.ts";
import { activeOf, manage, opens, sealTo } from "./custody/asking.ts";
import { type CustodyProcesses, custodyProcesses, type Running } from "./custody/processes.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/envelope-v1.json", import.meta.url));
const FIXTURE_KEY = "78765865b7afcd08d81838423e82b74c5526506c82a269ec89bf32b53d227d65";

let processes: CustodyProcesses;
let clients: KemClient[];
let custody: Running;
let broker: Running;
beforeEach(() => {
  processes = custodyProcesses();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await processes.end();
});

async function startBoth(changes?: object): Promise<ListedGeneration> {
  custody = processes.custody(changes);
  broker = processes.broker();
  await processes.until("custody", true);
  await processes.until("broker", true);
  return activeOf(processes.at("manage"));
}

function client(states: CustodyState[] = []): KemClient {
  const created = createKemClient({
    custody: { kind: "unix", socket: processes.at("open") },
    onState: (state) => states.push(state),
  });
  clients.push(created);
  return created;
}
const ask = <K extends Parameters<typeof manage>[1]>(method: K, request?: object) =>
  manage(processes.at("manage"), method, request);
const events = (kind: string) =>
  processes
    .written()
    .split("\n")
    .filter((line) => line.includes(`"${kind}"`))
    .map((line) => JSON.parse(line).event);

describe("custody and its broker", () => {
  it("make one active generation at the first start, keep it, and open what is sealed to it", async () => {
    const first = await startBoth();
    expect(await opens(client(), first)).toBe(true);
    expect(await custody.kill("SIGTERM")).toBe(0);
    custody = processes.custody();
    await processes.until("custody", true);
    expect(await activeOf(processes.at("manage"))).toEqual(first);
    expect(await opens(client(), first)).toBe(true);
  });

  it("let nobody but their user at their sockets and their files", async () => {
    await startBoth();
    for (const name of ["kem", "open", "manage", "custody.control", "state/generations.json"])
      expect(statSync(processes.at(name)).mode & 0o777, name).toBe(0o600);
    for (const folder of ["keys", "audit"]) {
      expect(statSync(processes.at(folder)).mode & 0o777).toBe(0o700);
      for (const file of readdirSync(processes.at(folder)))
        expect(statSync(join(processes.at(folder), file)).mode & 0o777, file).toBe(0o600);
    }
  });

  it("open again within two seconds of custody being back after kill -9, while the broker lives", async () => {
    const generation = await startBoth();
    const states: CustodyState[] = [];
    const kem = client(states);
    expect(await opens(kem, generation)).toBe(true);
    await custody.kill("SIGKILL");
    const waiting = opens(kem, generation);
    await expect.poll(() => states.at(-1), { timeout: 20_000 }).toBe("away");
    await processes.until("broker", false);
    processes.custody();
    await processes.until("custody", true);
    const ready = performance.now();
    expect(await waiting).toBe(true);
    expect(performance.now() - ready).toBeLessThan(2000);
    expect(broker.child.exitCode).toBeNull();
    await processes.until("broker", true);
  });

  it("open again after the broker was killed, and custody heard nothing of it", async () => {
    const generation = await startBoth();
    const kem = client();
    await broker.kill("SIGKILL");
    const waiting = opens(kem, generation);
    processes.broker();
    expect(await waiting).toBe(true);
    expect(await processes.status("custody")).toMatchObject({ ready: true });
  });

  it("say that custody is away, within the time that the broker waits, when it hangs", async () => {
    const generation = await startBoth();
    const states: CustodyState[] = [];
    const kem = client(states);
    expect(await opens(kem, generation)).toBe(true);
    custody.child.kill("SIGSTOP");
    const waiting = opens(kem, generation);
    await expect.poll(() => states.at(-1), { timeout: 4000 }).toBe("away");
    custody.child.kill("SIGCONT");
    expect(await waiting).toBe(true);
  });

  it("open nothing while custody is sealed, and what waited once it is unsealed", async () => {
    const generation = await startBoth();
    const states: CustodyState[] = [];
    const kem = client(states);
    expect(await ask("seal", { reason: "a visit" })).toMatchObject({ sealed: true });
    const waiting = opens(kem, generation);
    await expect.poll(() => states.at(-1), { timeout: 20_000 }).toBe("sealed");
    expect(await processes.status("custody")).toMatchObject({ ready: false, sealed: true, reason: "sealed" });
    await expect(ask("listGenerations")).rejects.toMatchObject({ code: "CUSTODY_SEALED", message: "SEALED" });
    expect(await ask("unseal")).toMatchObject({ sealed: false, store: { kind: "file", custodyClass: "software" } });
    expect(await waiting).toBe(true);
    expect(events("CUSTODY_SEALED")).toMatchObject([{ actor: "op-test", reason: "a visit, recorded" }]);
  });

  it("wait for an order where custody is not to open by itself, and stay sealed for a wrong passphrase", async () => {
    custody = processes.custody({ unseal: "on-order" });
    processes.broker();
    await processes.until("custody", false);
    expect(await ask("health")).toMatchObject({ sealed: true });
    await ask("unseal");
    const generation = await activeOf(processes.at("manage"));
    await ask("seal", { reason: "a test" });
    const right = readFileSync(processes.at("passphrase"));
    writeFileSync(processes.at("passphrase"), "f".repeat(64));
    await expect(ask("unseal")).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_WRONG" });
    expect(await ask("health")).toMatchObject({ sealed: true });
    expect(events("CUSTODY_UNSEAL_FAILED")).toMatchObject([{ actor: "op-test", reason: "CUSTODY_PASSPHRASE_WRONG" }]);
    expect(processes.written()).not.toContain("f".repeat(64));
    writeFileSync(processes.at("passphrase"), right);
    await ask("unseal");
    expect(await opens(client(), generation)).toBe(true);
  });

  it("rotate without a moment in which an old or a new message cannot be opened", async () => {
    const old = await startBoth();
    const kem = client();
    const next = (await ask("generate", { state: "next" })) as ListedGeneration;
    expect(await opens(kem, next)).toBe(true);
    await ask("activate", { keyId: next.keyId });
    expect([await opens(kem, old), await opens(kem, next)]).toEqual([true, true]);
    await ask("destroy", { keyId: old.keyId });
    expect([await opens(kem, old), await opens(kem, next)]).toEqual([false, true]);
    await expect(ask("destroy", { keyId: next.keyId })).rejects.toMatchObject({ code: "CUSTODY_GENERATION_STATE" });
    await expect(ask("destroy", { keyId: "0".repeat(16) })).rejects.toMatchObject({
      code: "CUSTODY_GENERATION_UNKNOWN",
    });
  });

  it("import the recipient of a fixture as retired, and show its private key and their own nowhere", async () => {
    await startBoth({ fixtureFile: FIXTURE, logLevel: "trace" });
    const { generations } = (await ask("listGenerations")) as { generations: ListedGeneration[] };
    const imported = generations.find(({ keyId }) => keyId === "40e2842ca3ac950a");
    expect(imported).toMatchObject({ state: "retired", origin: "fixture" });
    expect(await opens(client(), imported as ListedGeneration)).toBe(true);
    await ask("seal", { reason: "a test" });
    await custody.kill("SIGTERM");
    const files = ["keys", "audit", "state"].flatMap((folder) =>
      readdirSync(processes.at(folder)).map((file) => readFileSync(join(processes.at(folder), file), "latin1")),
    );
    const shown = [processes.written(), JSON.stringify(generations), ...files].join();
    for (const form of [FIXTURE_KEY, bytesOfHex(FIXTURE_KEY)])
      expect(shown).not.toContain(typeof form === "string" ? form : Buffer.from(form).toString("latin1"));
    expect(shown).not.toContain(Buffer.from(FIXTURE_KEY, "hex").toString("base64"));
  });

  it("report uses of a key as one event with a count, and not one for each message", async () => {
    const generation = await startBoth();
    const kem = client();
    const { item } = sealTo(generation);
    const lowOrder = { ...item, encapsulatedKey: Buffer.alloc(32) };
    await kem.open([item, item, item, lowOrder, { ...item, keyId: Buffer.alloc(8) }]);
    await kem.open([item]);
    await custody.kill("SIGTERM");
    expect(events("KEY_USED")).toMatchObject([
      { tenant: "acme", object: generation.keyId, reason: "opened", count: 4 },
      { tenant: "acme", object: generation.keyId, reason: "decapsulation-failed", count: 1 },
    ]);
  });
});
