import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { envelopeDigest } from "../../protocol/envelope.ts";
import { keyIdOf } from "../../protocol/hpke.ts";
import { p256Signer } from "../../protocol/signature.ts";
import { cmdTopic, statusTopic } from "../../protocol/topics.ts";
import { createUpdate } from "../../protocol/update.ts";
import { type FakeBackend, fakeToken, startFakeBackend } from "../../services/gateway/identity/fake-backend.ts";
import { GatewayHarness, until } from "./gateway/harness.ts";
import { makeKey, TestSensor } from "./gateway/test-sensor.ts";

let gateway: GatewayHarness;
const sensor = new TestSensor();
const counters = async () => (await gateway.status()).counters;

/** How many events there were for a verdict, and for how many envelopes they stand. */
function rejections(verdict: string): { readonly events: number; readonly total: number } {
  const events = gateway.events.filter(({ kind, reason }) => kind === "INGEST_REJECTED" && reason === verdict);
  return { events: events.length, total: events.reduce((total, { count }) => total + count, 0) };
}

beforeEach(() => {
  gateway = new GatewayHarness();
});
afterEach(() => gateway.stop());

async function startTrusting(changes: object = {}, sensors = [sensor]): Promise<void> {
  await gateway.start(changes);
  await gateway.collect();
  await gateway.trust(sensors);
}

function flip(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1]! ^= 1;
  return copy;
}

describe("what sensors see", () => {
  test("forwards an envelope of several blocks unchanged, and keeps it until its receipt", async () => {
    await startTrusting();
    const bytes = await sensor.envelope(1, 1, { bytes: 3072 });
    expect(await gateway.send(bytes)).toBe("2.04");
    await until(() => gateway.received.length === 1);
    expect(gateway.received[0]?.topic).toBe(`tk/v1/gw-01/up/${sensor.id}`);
    expect(gateway.received[0]?.bytes.equals(bytes)).toBe(true);
    expect(await counters()).toMatchObject({ accepted: 1, spooled: 1, inFlight: 1 });
    await gateway.receipts([[bytes, "accepted"]]);
    await until(async () => (await counters()).spooled === 0);
    expect(await counters()).toMatchObject({ inFlight: 0, receipts: { accepted: 1 } });
  });

  test("answers 2.04 to a repeat whose answer was lost, and keeps and forwards it once", async () => {
    await startTrusting();
    const bytes = await sensor.envelope(1, 1);
    expect(await gateway.send(bytes)).toBe("2.04");
    expect(await gateway.send(bytes)).toBe("2.04");
    expect(await counters()).toMatchObject({ accepted: 1, spooled: 1, rejected: { duplicate: 1 } });
    await delay(300);
    expect(gateway.received).toHaveLength(1);
  });

  test("gives each bad envelope its verdict, an event and a place in quarantine, and moves no window for it", async () => {
    const [revoked, stranger] = [new TestSensor(), new TestSensor()];
    await startTrusting({}, [sensor, revoked]);
    await gateway.trust([sensor, revoked], { revoked: [revoked] });
    const good = await sensor.envelope(5, 10);
    expect(await gateway.send(good)).toBe("2.04");
    const cases: [Uint8Array, string][] = [
      [Buffer.from("garbage"), "malformed"],
      [good.subarray(0, -1), "malformed"],
      [Buffer.concat([good, Buffer.alloc(4096)]), "malformed"],
      [await sensor.envelope(5, 11, { version: 2 }), "unsupported-version"],
      [await stranger.envelope(1, 1), "unknown-sensor"],
      [await revoked.envelope(1, 1), "revoked-sensor"],
      [flip(await sensor.envelope(4_000_000_000, 4_000_000_000)), "bad-signature"],
      [await sensor.envelope(5, 10), "replay"],
      [await sensor.envelope(4, 99), "replay"],
    ];
    for (const [bytes, verdict] of cases) expect(await gateway.send(bytes)).toBe(`4.00 ${verdict}`);
    expect(await gateway.send(await sensor.envelope(5, 11))).toBe("2.04");
    expect(await counters()).toMatchObject({
      accepted: 2,
      quarantined: cases.length,
      rejected: {
        malformed: 3,
        "unsupported-version": 1,
        "unknown-sensor": 1,
        "revoked-sensor": 1,
        "bad-signature": 1,
        replay: 2,
      },
    });
    const { rejected } = await counters();
    await until(() => Object.entries(rejected).every(([verdict, count]) => rejections(verdict).total === count));
    expect(gateway.events.findLast(({ reason }) => reason === "unknown-sensor")).toMatchObject({
      kind: "INGEST_REJECTED",
      actor: "127.0.0.1",
      sourceAddress: "127.0.0.1",
      object: stranger.id,
      tenant: "acme",
      correlationId: envelopeDigest(cases[4]![0]).toString("hex"),
    });
  });

  test("writes few events for a flood of rejected envelopes, the first at once, and their counts add up", async () => {
    await startTrusting();
    const forged = await Promise.all([...Array(150)].map(async (_, n) => flip(await sensor.envelope(1, n + 1))));
    const strange = await Promise.all([...Array(150)].map(() => new TestSensor().envelope(1, 1)));
    for (const [n, bytes] of forged.entries()) {
      const answers = await Promise.all([gateway.send(bytes), gateway.send(strange[n]!)]);
      expect(answers).toEqual(["4.00 bad-signature", "4.00 unknown-sensor"]);
      if (n === 0) await until(() => rejections("bad-signature").events === 1, 800);
    }
    await until(() => ["bad-signature", "unknown-sensor"].every((verdict) => rejections(verdict).total === 150));
    for (const verdict of ["bad-signature", "unknown-sensor"]) expect(rejections(verdict).events).toBeLessThan(20);
    const several = gateway.events.filter(({ reason, count }) => reason === "unknown-sensor" && count > 1);
    expect(several[0]).toMatchObject({ object: "many", correlationId: null });
  });

  test("shows its one resource in RFC 6690 link format", async () => {
    await gateway.start();
    const { code, payload } = await gateway.radio().request({ method: "GET", path: "/.well-known/core" });
    expect([code, payload.toString()]).toEqual(["2.05", expect.stringMatching(/^<\/tk\/v1>;/)]);
    expect((await gateway.radio().request({ method: "GET", path: "/tk/v1" })).code).toBe("4.05");
    expect((await gateway.radio().request({ method: "POST", path: "/else" })).code).toBe("4.04");
  });

  test("answers 5.03 when the spool is full, and 2.04 again once receipts have made room", async () => {
    await startTrusting({ spoolMaxBytes: 4096 });
    const first = await sensor.envelope(1, 1, { bytes: 3000 });
    const second = await sensor.envelope(1, 2, { bytes: 3000 });
    expect(await gateway.send(first)).toBe("2.04");
    expect(await gateway.send(second)).toBe("5.03 spool-full");
    expect(await gateway.send(first)).toBe("2.04");
    await gateway.receipts([[first, "accepted"]]);
    await until(async () => (await counters()).spooled === 0);
    expect(await gateway.send(second)).toBe("2.04");
  });

  test("answers 5.03 when the file system takes no more, lives on, and loses nothing that it accepted", async () => {
    await gateway.start();
    await gateway.collect();
    await gateway.trust([sensor]);
    await gateway.kill("gateway");
    // No file may grow over 2048 blocks of 512 bytes; to SQLite that is a disk that is full.
    await gateway.startGateway([], "trap '' XFSZ; ulimit -f 2048");
    await until(async () => (await gateway.status()).ready);
    const accepted: Uint8Array[] = [];
    let answer = "2.04";
    for (let seq = 1; seq < 500 && answer === "2.04"; seq++) {
      const bytes = await sensor.envelope(1, seq, { bytes: 3000 });
      answer = await gateway.send(bytes);
      if (answer === "2.04") accepted.push(bytes);
    }
    expect(answer).toBe("5.03 database");
    expect(accepted.length).toBeGreaterThan(20);
    expect(gateway.isAlive("gateway")).toBe(true);
    expect(await gateway.send(flip(accepted[0]!))).toBe("4.00 bad-signature");
    await gateway.kill("gateway");
    await gateway.startGateway();
    await until(async () => (await gateway.status()).ready);
    for (const bytes of accepted) await until(() => gateway.received.some((message) => message.bytes.equals(bytes)));
    expect((await counters()).spooled).toBe(accepted.length);
    expect(await gateway.send(await sensor.envelope(1, 500))).toBe("2.04");
  });
});

describe("acknowledged means kept", () => {
  test("loses nothing when it is killed between its answer and the broker", async () => {
    await startTrusting();
    await gateway.kill("broker");
    const sent = await Promise.all([1, 2, 3, 4, 5].map((seq) => sensor.envelope(1, seq)));
    for (const bytes of sent) expect(await gateway.send(bytes)).toBe("2.04");
    await gateway.kill("gateway");
    await gateway.startBroker();
    await gateway.collect();
    await gateway.startGateway();
    await until(() => gateway.received.length >= sent.length);
    expect(gateway.received.map(({ bytes }) => bytes)).toEqual(sent.map((bytes) => Buffer.from(bytes)));
    // The window is as old as the spool: repeats are known, replays are not taken.
    expect(await gateway.send(sent[0]!)).toBe("2.04");
    expect(await gateway.send(await sensor.envelope(1, 5))).toBe("4.00 replay");
    await gateway.receipts(sent.map((bytes) => [bytes, "accepted"]));
    await until(async () => (await counters()).spooled === 0);
  });

  test("keeps both of two envelopes that come with one message id: a board that restarted counts anew", async () => {
    await startTrusting();
    const [first, second] = [await sensor.envelope(1, 1), await sensor.envelope(2, 1)];
    expect(await gateway.sendAs(7, Buffer.from("aaaa"), first)).toEqual({ code: "2.04", token: Buffer.from("aaaa") });
    expect(await gateway.sendAs(7, Buffer.from("bbbb"), second)).toEqual({ code: "2.04", token: Buffer.from("bbbb") });
    await until(() => gateway.received.length === 2);
    expect(await counters()).toMatchObject({ accepted: 2, spooled: 2 });
  });

  test("sends again without a receipt, and after every reconnect", async () => {
    await startTrusting({ receiptTimeoutSeconds: 1 });
    const bytes = await sensor.envelope(1, 1);
    await gateway.send(bytes);
    await until(() => gateway.received.length >= 2);
    await gateway.kill("broker");
    await gateway.startBroker();
    gateway.received.length = 0;
    await gateway.collect();
    await until(() => gateway.received.length >= 1);
    expect(gateway.received[0]?.bytes.equals(bytes)).toBe(true);
  });

  test("has no more on the way than its bound, and ignores a receipt for what it does not hold", async () => {
    await startTrusting({ inFlightMax: 3 });
    const sent = await Promise.all([1, 2, 3, 4, 5].map((seq) => sensor.envelope(1, seq)));
    for (const bytes of sent) await gateway.send(bytes);
    await delay(300);
    expect(gateway.received).toHaveLength(3);
    await gateway.receipts([[await sensor.envelope(9, 9), "accepted"]]);
    await until(async () => (await counters()).unknownReceipts === 1);
    expect(await counters()).toMatchObject({ spooled: 5, inFlight: 3 });
    await gateway.receipts([
      [sent[0]!, "accepted"],
      [sent[1]!, "bad-payload"],
    ]);
    await until(() => gateway.received.length === 5);
    expect(await counters()).toMatchObject({ spooled: 3, inFlight: 3, receipts: { accepted: 1, "bad-payload": 1 } });
  });
});

describe("trust", () => {
  test("answers 5.03 until an allowlist has come", async () => {
    await gateway.start();
    expect(await gateway.send(await sensor.envelope(1, 1))).toBe("5.03 no-allowlist");
    expect(await gateway.send(Buffer.from("garbage"))).toBe("4.00 malformed");
    expect(await gateway.status()).toMatchObject({ ready: false });
    await gateway.trust([sensor]);
    expect(await gateway.send(await sensor.envelope(1, 1))).toBe("2.04");
  });

  test("takes no new sensors with an allowlist older than 72 h, says so, and goes on with those it knows", async () => {
    const late = new TestSensor();
    await startTrusting();
    await gateway.send(await sensor.envelope(1, 1));
    await gateway.trust([sensor, late], { ageHours: 73 });
    expect(await gateway.send(await sensor.envelope(1, 2))).toBe("2.04");
    expect(await gateway.send(await late.envelope(1, 1))).toBe("5.03 allowlist-too-old");
    expect(await gateway.status()).toMatchObject({ ready: false, allowlist: { tooOld: true } });
    await gateway.trust([sensor, late]);
    expect(await gateway.send(await late.envelope(1, 1))).toBe("2.04");
  });

  test("takes a revocation from the backend while the broker is away, as soon as it has a token, and tells nothing of the wait", async () => {
    const token = fakeToken("t");
    const backend: { fake?: FakeBackend } = {};
    await gateway.start(async (pki) => {
      backend.fake = await startFakeBackend(pki);
      return { backend: { ...backend.fake.target, pollSeconds: 1 }, tokenFile: gateway.at("token") };
    });
    const { fake } = backend;
    await gateway.collect();
    await gateway.trust([sensor]);
    await gateway.kill("broker");
    const revoking = JSON.parse(await gateway.allowlist([sensor], { revoked: [sensor] }));
    fake!.answer = (request) => {
      if (request.token !== token) return { status: 401 };
      return request.path === "/v1/gateway/allowlist"
        ? { status: 200, body: revoking }
        : { status: 404, body: { error: { code: "TRUST_NONE" } } };
    };
    expect(await gateway.send(await sensor.envelope(1, 1))).toBe("2.04");
    expect([fake?.seen, gateway.events.filter(({ kind }) => kind === "AUTH_FAILED")]).toEqual([[], []]);
    writeFileSync(gateway.at("token"), `${token}\n`);
    await until(() => fake?.seen.some(({ path }) => path === "/v1/gateway/allowlist") === true, 30_000);
    await until(async () => (await gateway.send(await sensor.envelope(2, 1))) === "4.00 revoked-sensor");
    expect(new Set(fake?.seen.map((request) => request.token))).toEqual(new Set([token]));
    await fake?.close();
  });

  test("keeps its allowlist over a restart without a broker, and refuses another key's", async () => {
    await startTrusting();
    await gateway.publishTrust(JSON.stringify({ payloadType: "x", payload: "", signatures: [] }));
    await until(() => gateway.events.some(({ kind }) => kind === "AUTH_FAILED"));
    await gateway.kill("broker");
    await gateway.kill("gateway");
    await gateway.startGateway();
    expect(await gateway.send(await sensor.envelope(1, 1))).toBe("2.04");
  });

  test("hands the newest signed update over with 2.04, and never an older or a forged one", async () => {
    await startTrusting();
    const backend = await gateway.mqtt("svc-backend");
    const publicKey = Buffer.alloc(32, 9);
    const key = { keyId: keyIdOf(publicKey), publicKey, notBeforeMs: 0 };
    const update = (counter: number, signer = p256Signer(gateway.backendKey.privateKey)) =>
      createUpdate({ sensorId: Buffer.from(sensor.id, "hex"), counter, keys: [key], issuedAtMs: 1 }, signer);
    const newest = await update(7);
    const forged = await update(9, p256Signer(makeKey().privateKey));
    for (const bytes of [newest, await update(6), forged])
      await backend.publishAsync(cmdTopic("gw-01", sensor.id), Buffer.from(bytes), { qos: 1 });
    await until(() => gateway.events.some(({ reason }) => reason === "UPDATE_BAD_SIGNATURE"));
    const radio = gateway.radio();
    const payload = await sensor.envelope(1, 1);
    const answer = await radio.request({ method: "POST", path: "/tk/v1", payload });
    expect([answer.code, answer.payload.equals(newest)]).toEqual(["2.04", true]);
  });

  test("tells the world whether it is there", async () => {
    await gateway.start();
    const backend = await gateway.mqtt("svc-backend");
    const states: string[] = [];
    backend.on("message", (_, payload) => states.push(JSON.parse(payload.toString()).state));
    await backend.subscribeAsync(statusTopic("gw-01"), { qos: 1 });
    await until(() => states.at(-1) === "online");
    await gateway.kill("gateway");
    await until(() => states.at(-1) === "offline");
    await gateway.startGateway();
    await until(() => states.at(-1) === "online");
    expect(await gateway.kill("gateway", "SIGTERM")).toBe(0);
    await until(() => states.at(-1) === "offline");
  });
});

test("cannot open the key files of others", async () => {
  await gateway.start();
  const paths = [gateway.at("svc-backend.key"), gateway.at("svc-broker.key"), gateway.at("gw-01.key")];
  expect(await gateway.control("/self-test/open", { paths })).toEqual({
    results: [
      { path: paths[0], code: "ERR_ACCESS_DENIED" },
      { path: paths[1], code: "ERR_ACCESS_DENIED" },
      { path: paths[2], code: null },
    ],
  });
});

test("drops a flood in silence and reports it", async () => {
  await startTrusting({ flood: { perSecond: 1, burst: 3 } });
  const radio = gateway.radio();
  for (let i = 0; i < 3; i++) await radio.request({ method: "GET", path: "/.well-known/core" });
  await expect(gateway.send(await sensor.envelope(1, 1))).resolves.toBe("2.04");
  await until(() => gateway.events.some(({ kind }) => kind === "RATE_LIMIT_EXCEEDED"));
  expect((await counters()).flooded).toBeGreaterThan(0);
});
