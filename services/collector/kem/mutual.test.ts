import { createServer, type Server } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { packResults } from "../../../custody/kem-items.ts";
import { listenTcp } from "../../runtime/listen.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import { createKemClient, type KemClient } from "./client.ts";
import type { CustodyState } from "./replica.ts";
import { BROKER_NAME, identityOf, type KemPki, makeKemPki, type PlayedBroker, playBroker } from "./test-brokers.ts";

const ITEM = { keyId: Buffer.alloc(8, 1), encapsulatedKey: Buffer.alloc(32, 2) };
const SECRET = Buffer.alloc(32, 3);
const waiting = { timeout: 15_000, interval: 10 };
const DAY_MS = 86_400_000;

let [ours, namesake, other, old]: KemPki[] = [];
const closers: (() => unknown)[] = [];
let states: CustodyState[];
let problems: string[];

beforeAll(async () => {
  const longAgo = new Date(Date.now() - 80 * DAY_MS);
  [ours, namesake, other, old] = await Promise.all([
    makeKemPki(),
    makeKemPki(),
    makeKemPki("other"),
    makeKemPki("acme", longAgo),
  ]);
});
beforeEach(() => {
  [states, problems] = [[], []];
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function broker(tls: Tls13Options): Promise<PlayedBroker> {
  const played = await playBroker({ tls, answer: (items) => packResults(Array(items.length / 40).fill(SECRET)) });
  closers.push(played.kill);
  return played;
}

function client(port: number, tls: Tls13Options): KemClient {
  const created = createKemClient({
    custody: { kind: "mtls", host: "127.0.0.1", port, servername: BROKER_NAME, tls },
    onState: (state) => states.push(state),
    onProblem: (problem) => problems.push(problem),
  });
  closers.push(created.close);
  return created;
}

const opens = async (kem: KemClient) => Buffer.from((await kem.open([ITEM]))[0] as Uint8Array);
/** What somebody of another PKI shows, who trusts ours. */
const stranger = async (pki: KemPki, name: string) => identityOf(pki, name, { ca: ours!.ca, crl: await ours!.lists() });

describe("over mutual TLS", () => {
  it("opens with the collector's certificate", async () => {
    const { port, events } = await broker(await identityOf(ours!, "svc-custody-broker"));
    expect(await opens(client(port, await identityOf(ours!, "svc-collector")))).toEqual(SECRET);
    expect([states, problems, events]).toEqual([["ready"], [], []]);
  });

  const usual = async () => ({});
  const both = async () => ({
    ca: ours!.ca + other!.ca,
    crl: `${await ours!.lists()}\n${await other!.lists()}`,
  });
  const brokers: readonly (readonly [string, string, () => Promise<Tls13Options>, () => Promise<object>])[] = [
    ["another authority of the same name", "wrong-ca", () => stranger(namesake!, "svc-custody-broker"), usual],
    ["another tenant", "wrong-ca", () => stranger(other!, "svc-custody-broker"), usual],
    ["another tenant whose root is trusted", "name-not-allowed", () => stranger(other!, "svc-custody-broker"), both],
    [
      "a revoked certificate",
      "revoked",
      () => identityOf(ours!, "svc-custody-broker"),
      async () => ({ crl: await ours!.lists(["svc-custody-broker"]) }),
    ],
    ["a gateway's certificate", "wrong-usage", () => identityOf(ours!, "gw-01"), usual],
    ["an operator's certificate", "wrong-usage", () => identityOf(ours!, "op-admin"), usual],
    ["the name of another service", "name-not-allowed", () => identityOf(ours!, "svc-backend"), usual],
    ["the collector's own name", "name-not-allowed", () => identityOf(ours!, "svc-collector"), usual],
    [
      "a certificate that has ended",
      "expired",
      () => identityOf(old!, "svc-custody-broker"),
      async () => ({ ca: old!.ca, crl: await old!.lists() }),
    ],
    [
      "an issuer without a list",
      "wrong-ca",
      () => identityOf(ours!, "svc-custody-broker"),
      async () => ({ crl: await namesake!.lists() }),
    ],
    [
      "an issuer whose list has ended",
      "revocation-unknown",
      () => identityOf(ours!, "svc-custody-broker"),
      async () => ({ crl: await ours!.lists([], new Date(Date.now() - 20 * DAY_MS)) }),
    ],
  ];
  it.each(brokers)("asks nobody who shows %s: %s", async (_, reason, shown, trusted) => {
    const { port, asked } = await broker(await shown());
    const kem = client(port, await identityOf(ours!, "svc-collector", await trusted()));
    let opened = false;
    void kem.open([ITEM]).then(() => {
      opened = true;
    });
    await expect.poll(() => problems, waiting).toEqual([reason]);
    expect([asked(), opened, states]).toEqual([0, false, ["away"]]);
  });

  it("asks nobody who speaks no TLS", async () => {
    const server: Server = createServer((socket) => {
      socket.on("error", () => undefined).end("HTTP/1.1 200 OK\r\n\r\n");
    });
    closers.push(() => server.close());
    const port = await listenTcp(server, { hosts: ["127.0.0.1"], port: 0 });
    client(port, await identityOf(ours!, "svc-collector"));
    await expect.poll(() => problems, waiting).toEqual(["not-tls"]);
    expect(states).toEqual(["away"]);
  });

  it("calls nobody a stranger where nobody is", async () => {
    const { port, kill } = await broker(await identityOf(ours!, "svc-custody-broker"));
    kill();
    client(port, await identityOf(ours!, "svc-collector"));
    await expect.poll(() => states, waiting).toEqual(["away"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(problems).toEqual([]);
  });

  const clients: readonly (readonly [string, string, string, () => Promise<Tls13Options>])[] = [
    [
      "no certificate",
      "unknown",
      "no-certificate",
      async () => {
        const { cert: _, key: __, ...nothing } = await identityOf(ours!, "svc-collector");
        return nothing as Tls13Options;
      },
    ],
    ["another authority's certificate", "unknown", "wrong-ca", () => stranger(namesake!, "svc-collector")],
    ["another tenant's certificate", "unknown", "wrong-ca", () => stranger(other!, "svc-collector")],
    ["a gateway's certificate", "gw-01", "wrong-identity", () => identityOf(ours!, "gw-01")],
    ["an operator's certificate", "op-admin", "wrong-identity", () => identityOf(ours!, "op-admin")],
    ["another service's certificate", "svc-backend", "wrong-identity", () => identityOf(ours!, "svc-backend")],
  ];
  it.each(clients)("is hung up on with %s, and the broker says of %s: %s", async (_, actor, reason, shown) => {
    const { port, events, asked } = await broker(await identityOf(ours!, "svc-custody-broker"));
    client(port, await shown());
    await expect.poll(() => problems, waiting).toEqual(["hung-up-on"]);
    expect(events).toContainEqual(expect.objectContaining({ kind: "AUTH_FAILED", actor, object: "tls", reason }));
    expect([asked(), states]).toEqual([0, ["away"]]);
  });

  it("is hung up on with a revoked certificate", async () => {
    const crl = await ours!.lists(["svc-collector"]);
    const { port, events } = await broker(await identityOf(ours!, "svc-custody-broker", { crl }));
    client(port, await identityOf(ours!, "svc-collector"));
    await expect.poll(() => problems, waiting).toEqual(["hung-up-on"]);
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "AUTH_FAILED", actor: "unknown", reason: "revoked" }),
    );
  });

  it("takes a renewed certificate for its next question, and opens what waited for it", async () => {
    const { port } = await broker(await identityOf(ours!, "svc-custody-broker"));
    const kem = client(port, await stranger(namesake!, "svc-collector"));
    const waits = opens(kem);
    await expect.poll(() => problems, waiting).toEqual(["hung-up-on"]);
    kem.useTls(await identityOf(ours!, "svc-collector"));
    expect(await waits).toEqual(SECRET);
    expect(states).toEqual(["away", "ready"]);
  });

  it("asks nothing more on a connection whose broker was revoked since", async () => {
    const { port, asked } = await broker(await identityOf(ours!, "svc-custody-broker"));
    const kem = client(port, await identityOf(ours!, "svc-collector"));
    expect(await opens(kem)).toEqual(SECRET);
    kem.useTls(await identityOf(ours!, "svc-collector", { crl: await ours!.lists(["svc-custody-broker"]) }));
    void kem.open([ITEM]);
    await expect.poll(() => problems, waiting).toEqual(["revoked"]);
    expect([asked(), states]).toEqual([1, ["ready", "away"]]);
  });
});
