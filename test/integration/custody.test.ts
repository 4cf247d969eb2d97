import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KemItem } from "../../custody/backends/backend.ts";
import { encodeFrame, packItems } from "../../custody/kem-frames.ts";
import { bytesOfHex } from "../../protocol/hex.ts";
import { hpkeSeal, openWithSharedSecret, TELEMETRY_INFO } from "../../protocol/hpke.ts";
import { type CustodyState, createKemClient, type KemClient } from "../../services/collector/verify/kem-client.ts";
import { callControl } from "../../shared/control-client.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FIXTURE = join(ROOT, "test/fixtures/envelope-v1.json");
const FIXTURE_KEY = "78765865b7afcd08d81838423e82b74c5526506c82a269ec89bf32b53d227d65";
const PLAINTEXT = Buffer.from("measured");
const AAD = Buffer.from("header");

interface GenerationRow {
  readonly key_id: string;
  readonly public_key: string;
  readonly state: string;
}

let folder: string;
let child: ChildProcess | undefined;
let output: Promise<string>;
let clients: KemClient[];
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-c-"));
  clients = [];
  writeFileSync(at("passphrase"), `${randomBytes(32).toString("hex")}\n`);
});
afterEach(() => {
  for (const client of clients) client.close();
  child?.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

function start(changes: object = {}): ChildProcess {
  const config = {
    name: "custody",
    tenant: "acme",
    controlSocket: at("control.sock"),
    socket: at("kem.sock"),
    stateDir: at("state"),
    passphraseFile: at("passphrase"),
    keyUsageSeconds: 3600,
    ...changes,
  };
  writeFileSync(at("custody.json"), JSON.stringify(config));
  const permissions = [
    "--permission",
    "--allow-net",
    `--allow-fs-read=${ROOT}`,
    `--allow-fs-read=${folder}`,
    `--allow-fs-write=${folder}`,
  ];
  const main = join(ROOT, "services/custody/main.ts");
  child = spawn(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    ...permissions,
    main,
    "--config",
    at("custody.json"),
  ]);
  if (!child.stdout || !child.stderr) throw new Error("no output");
  output = Promise.all([text(child.stdout), text(child.stderr)]).then((parts) => parts.join(""));
  return child;
}

const control = (method: "GET" | "POST", path: string) => callControl(at("control.sock"), method, path);
const isReady = () =>
  control("GET", "/status").then(
    (status) => (status as { ready: boolean }).ready,
    () => false,
  );
const untilReady = () => expect.poll(isReady, { timeout: 20_000, interval: 10 }).toBe(true);

async function startReady(changes?: object): Promise<GenerationRow> {
  start(changes);
  await untilReady();
  const generations = (await control("GET", "/generations")) as GenerationRow[];
  const active = generations.find(({ state }) => state === "active");
  if (!active) throw new Error("no active generation");
  return active;
}

/** Kills, and gives the exit code and everything that was written. */
async function failure(): Promise<{
  readonly code: number;
  readonly error: { code: string; fix: string; path: string };
  readonly all: string;
}> {
  const [code] = (await once(start(), "exit")) as [number];
  const all = await output;
  const { error } = JSON.parse(all.split("\n").find((line) => line.startsWith('{"error"')) ?? "{}");
  return { code, error, all };
}

async function kill(signal: NodeJS.Signals): Promise<void> {
  const exited = once(child as ChildProcess, "exit");
  child?.kill(signal);
  await exited;
}

function client(states: CustodyState[] = []): KemClient {
  const created = createKemClient({ socketPath: at("kem.sock"), onState: (state) => states.push(state) });
  clients.push(created);
  return created;
}

function seal({ key_id, public_key }: GenerationRow): { readonly item: KemItem; readonly ciphertext: Uint8Array } {
  const { enc, ciphertext } = hpkeSeal(bytesOfHex(public_key), TELEMETRY_INFO, AAD, PLAINTEXT);
  return { item: { keyId: bytesOfHex(key_id), encapsulatedKey: enc }, ciphertext };
}

async function opens(kem: KemClient, generation: GenerationRow): Promise<boolean> {
  const { item, ciphertext } = seal(generation);
  const [secret] = await kem.open([item]);
  const plaintext = secret instanceof Uint8Array ? openWithSharedSecret(secret, TELEMETRY_INFO, AAD, ciphertext) : null;
  return plaintext !== null && PLAINTEXT.equals(plaintext);
}

describe("the custody process", () => {
  it("makes one active generation at its first start, and keeps it", async () => {
    const first = await startReady();
    expect(await opens(client(), first)).toBe(true);
    await kill("SIGTERM");
    expect(child?.exitCode).toBe(0);
    expect(await startReady()).toEqual(first);
  });

  it("shows of a generation its public half and its dates, and no other member", async () => {
    const active = await startReady({ fixtureFile: FIXTURE });
    const next = await control("POST", "/generations");
    const activated = await control("POST", `/generations/${(next as GenerationRow).key_id}/activate`);
    const destroyed = await control("POST", `/generations/${active.key_id}/destroy`);
    const members = ["created_at", "key_id", "not_before", "public_key", "state"];
    const listed = (await control("GET", "/generations")) as object[];
    expect(listed).toHaveLength(3);
    for (const row of [active, next, activated, destroyed, listed].flat() as object[])
      expect(Object.keys(row).toSorted()).toEqual(members);
  });

  it("lets nobody but its user at its sockets and its state", async () => {
    await startReady();
    for (const name of ["kem.sock", "control.sock", "state/generations.age"])
      expect(statSync(at(name)).mode & 0o777).toBe(0o600);
    expect(statSync(at("state")).mode & 0o777).toBe(0o700);
  });

  it("answers again within two seconds of its restart after kill -9, and a client that waited gets its answer", async () => {
    const generation = await startReady();
    const states: CustodyState[] = [];
    const kem = client(states);
    expect(await opens(kem, generation)).toBe(true);
    await kill("SIGKILL");
    const waiting = opens(kem, generation);
    await expect.poll(() => states.at(-1)).toBe("away");
    const restarted = performance.now();
    start();
    expect(await waiting).toBe(true);
    expect(performance.now() - restarted).toBeLessThan(2000);
    expect(await control("GET", "/generations")).toMatchObject([{ key_id: generation.key_id }]);
  });

  it("opens nothing while sealed, and what waited once it is unsealed", async () => {
    const generation = await startReady();
    const states: CustodyState[] = [];
    const kem = client(states);
    await control("POST", "/seal");
    const waiting = opens(kem, generation);
    await expect.poll(() => states.at(-1)).toBe("sealed");
    expect(await control("GET", "/status")).toMatchObject({ ready: false, reason: "sealed" });
    await expect(control("GET", "/generations")).rejects.toMatchObject({ code: "CUSTODY_SEALED" });
    await control("POST", "/unseal");
    expect(await waiting).toBe(true);
  });

  it("rotates without a moment in which an old or a new message cannot be opened", async () => {
    const old = await startReady();
    const kem = client();
    const next = (await control("POST", "/generations")) as GenerationRow;
    expect(await opens(kem, next)).toBe(true);
    await control("POST", `/generations/${next.key_id}/activate`);
    expect([await opens(kem, old), await opens(kem, next)]).toEqual([true, true]);
    await control("POST", `/generations/${old.key_id}/destroy`);
    expect([await opens(kem, old), await opens(kem, next)]).toEqual([false, true]);
    await expect(control("POST", `/generations/${next.key_id}/destroy`)).rejects.toMatchObject({
      code: "CUSTODY_GENERATION_STATE",
    });
  });

  it("imports the recipient of a fixture, hands its public key to no sensor, and shows the private key nowhere", async () => {
    const active = await startReady({ fixtureFile: FIXTURE, logLevel: "trace" });
    const generations = (await control("GET", "/generations")) as GenerationRow[];
    const imported = generations.find(({ key_id }) => key_id === "40e2842ca3ac950a");
    expect(imported?.state).toBe("retired");
    expect(active.key_id).not.toBe(imported?.key_id);
    expect(await opens(client(), imported as GenerationRow)).toBe(true);
    await kill("SIGTERM");
    const shown = [
      await output,
      JSON.stringify(generations),
      readFileSync(at("state/generations.age")).toString("latin1"),
    ].join();
    expect(shown).not.toContain(FIXTURE_KEY);
    expect(shown).not.toContain(bytesOfHex(FIXTURE_KEY).toString("latin1"));
  });

  it("reports uses of a key as one event with a count, and not one for each message", async () => {
    const generation = await startReady();
    const kem = client();
    const { item } = seal(generation);
    await kem.open([
      item,
      item,
      item,
      { ...item, encapsulatedKey: Buffer.alloc(32) },
      { ...item, keyId: Buffer.alloc(8) },
    ]);
    await kem.open([item]);
    await kill("SIGTERM");
    const events = (await output)
      .split("\n")
      .filter((line) => line.includes("KEY_USED"))
      .map((line) => JSON.parse(line).event);
    expect(events).toMatchObject([
      { kind: "KEY_USED", tenant: "acme", object: generation.key_id, reason: "opened", count: 4 },
      { kind: "KEY_USED", tenant: "acme", object: generation.key_id, reason: "decapsulation-failed", count: 1 },
    ]);
  });
});

describe("bad input to custody", () => {
  it.each([
    ["garbage", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a frame of 4 GiB", Buffer.of(255, 255, 255, 255, 0)],
    ["a frame that is no request", Buffer.of(0, 0, 0, 1, 0xf6)],
    ["a cut item", Buffer.from(encodeFrame({ id: 1, items: new Uint8Array(39) }))],
  ])("closes the connection that sent %s, and no other", async (_, bytes) => {
    const generation = await startReady();
    const kem = client();
    expect(await opens(kem, generation)).toBe(true);
    const bad = connect(at("kem.sock"));
    const closed = once(bad, "close");
    bad.on("error", () => undefined).write(bytes);
    await closed;
    expect(await opens(kem, generation)).toBe(true);
    expect(await control("GET", "/status")).toMatchObject({ ready: true, counters: { malformedFrames: 1 } });
  });

  it("outlives clients that send half a frame, vanish, or never read", async () => {
    const generation = await startReady();
    const half = connect(at("kem.sock"));
    half.write(Buffer.of(0, 0));
    const vanishing = connect(at("kem.sock"));
    vanishing.write(encodeFrame({ id: 1, items: packItems([seal(generation).item]) }), () => vanishing.destroy());
    const deaf: Socket = connect(at("kem.sock"));
    deaf.pause().on("error", () => undefined);
    const batch = encodeFrame({ id: 1, items: packItems(Array(1024).fill(seal(generation).item)) });
    for (let n = 0; n < 100; n++) deaf.write(batch);
    await delay(200);
    expect(await opens(client(), generation)).toBe(true);
    for (const socket of [half, deaf]) socket.destroy();
  });

  it("does not start with a wrong passphrase, and leaves the state as it is", async () => {
    const generation = await startReady();
    await kill("SIGTERM");
    const [right, state] = [readFileSync(at("passphrase")), readFileSync(at("state/generations.age"))];
    writeFileSync(at("passphrase"), "f".repeat(64));
    const { code, error, all } = await failure();
    expect([code, error.code, error.path]).toEqual([3, "CUSTODY_PASSPHRASE_WRONG", at("state/generations.age")]);
    expect(error.fix).toMatch(/passphrase/);
    expect(all).not.toContain("f".repeat(64));
    expect(readFileSync(at("state/generations.age"))).toEqual(state);
    writeFileSync(at("passphrase"), right);
    expect(await startReady()).toEqual(generation);
  });

  it.each([
    ["changed", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 300), Buffer.of(0), bytes.subarray(301)])],
    ["cut short", (bytes: Buffer) => bytes.subarray(0, -1)],
    ["empty", () => Buffer.alloc(0)],
  ])("does not start from a state that is %s, and does not replace it", async (_, spoil) => {
    await startReady();
    await kill("SIGTERM");
    const spoilt = spoil(readFileSync(at("state/generations.age")));
    writeFileSync(at("state/generations.age"), spoilt);
    const { code, error } = await failure();
    expect([code, error.code]).toEqual([4, "CUSTODY_STATE_CORRUPT"]);
    expect(error.fix).toMatch(/backup/);
    expect(readFileSync(at("state/generations.age"))).toEqual(spoilt);
  });

  it("does not start without a passphrase, nor with a low work factor under a weak one", async () => {
    writeFileSync(at("passphrase"), "\n");
    expect((await failure()).error.code).toBe("CUSTODY_PASSPHRASE_MISSING");
    writeFileSync(at("passphrase"), "correct horse battery staple");
    const [code] = (await once(start({ scryptWorkFactor: 12 }), "exit")) as [number];
    expect(code).toBe(2);
    expect(await output).toContain("CUSTODY_WORK_FACTOR_RANGE");
  });

  it("does not start beside a living one", async () => {
    await startReady();
    const living = child;
    expect((await failure()).error.code).toBe("CONTROL_SOCKET_IN_USE");
    living?.kill("SIGKILL");
  });
});
