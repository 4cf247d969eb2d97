import { once } from "node:events";
import { createServer, type TLSSocket } from "node:tls";
import { Aedes } from "aedes";
import { afterEach, beforeEach, expect, it } from "vitest";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import { type BrokerLink, createBrokerLink } from "./link.ts";

/** What the broker sees, in its order. */
let seen: string[];
let aedes: Aedes;
let link: BrokerLink;
let port: number;
let tls: (name: string) => Tls13Options;
let end: () => Promise<void>;

beforeEach(async () => {
  seen = [];
  const { root, leaves } = await issueDeploymentCertificates({
    tenant: "acme",
    clock: () => new Date(),
    services: [{ name: "svc-broker", ipAddresses: ["127.0.0.1"] }],
    gateways: ["gw-01"],
    operators: [],
  });
  tls = (name) => {
    const { certPem: cert, keyPem: key } = leaves.find((leaf) => leaf.name === name) ?? root;
    return { ca: root.certPem, cert, key, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" };
  };
  aedes = await Aedes.createBroker({
    preConnect: (_, packet, done) => {
      seen.push(packet.clean ? "clean session" : "kept session");
      done(null, true);
    },
  });
  aedes.on("subscribe", (subscriptions) => seen.push(...subscriptions.map(({ topic }) => topic)));
  aedes.on(
    "publish",
    (packet, client) => client && seen.push(`${packet.topic} ${JSON.parse(`${packet.payload}`).state}`),
  );
  const open = new Set<TLSSocket>();
  const server = createServer({ ...tls("svc-broker"), requestCert: true }, (socket) => {
    open.add(socket.on("error", () => undefined));
    aedes.handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as { port: number }).port;
  end = async () => {
    await new Promise<void>((resolve) => aedes.close(resolve));
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
});
afterEach(async () => {
  await link.stop();
  await end();
});

function start(): void {
  const ignore = () => undefined;
  link = createBrokerLink({
    gateway: "gw-01",
    broker: { host: "127.0.0.1", port, servername: "broker.acme.trustkern.internal" },
    tls: () => tls("gw-01"),
    version: "1.0.0",
    now: Date.now,
    onUp: ignore,
    onDown: ignore,
    onMessage: ignore,
    onError: ignore,
  });
}

const ONCE = [
  "clean session",
  "tk/v1/gw-01/trust",
  "tk/v1/gw-01/receipt",
  "tk/v1/gw-01/cmd/+",
  "tk/v1/gw-01/status online",
];

it("asks for a clean session, and announces itself only once it listens to everything", async () => {
  start();
  await expect.poll(() => seen).toEqual(ONCE);
});

it("does so at every connection", async () => {
  start();
  await expect.poll(() => seen).toEqual(ONCE);
  seen = [];
  aedes.once("clientDisconnect", () => seen.push("gone"));
  for (const client of Object.values(Reflect.get(aedes, "clients") as Record<string, { conn: TLSSocket }>))
    client.conn.destroy();
  await expect.poll(() => seen.slice(-ONCE.length), { timeout: 5000 }).toEqual(ONCE);
});
