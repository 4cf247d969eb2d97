import { readFileSync, writeFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCrl } from "../../certs/crl.ts";
import { LEAF_CLASSES } from "../../certs/names.ts";
import { packItems } from "../../custody/kem-items.ts";
import { Kem, Use } from "../../custody/proto/custody_pb.ts";
import { type GrpcClient, grpcClient } from "../../shared/grpc/client.ts";
import type { MethodsOf } from "../../shared/grpc/definition.ts";
import { activeOf, manage, sealTo } from "./custody/asking.ts";
import { type CustodyProcesses, custodyProcesses } from "./custody/processes.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

let processes: CustodyProcesses;
let ours: Authorities;
let port: number;
const clients: GrpcClient<MethodsOf<typeof Kem>>[] = [];
const write = (name: string, content: string): string => {
  writeFileSync(processes.at(name), content, { mode: 0o600 });
  return processes.at(name);
};

beforeAll(async () => {
  processes = custodyProcesses();
  ours = await makeAuthorities("acme");
  const now = new Date();
  const lists = [ours.root, ...LEAF_CLASSES.map((each) => ours.issuers[each])].map(
    async (authority) => (await issueCrl(authority, { number: 1n, revoked: [], now })).pem,
  );
  const { certPem, keyPem } = await leafOf(ours, "svc-custody-broker");
  const tls = {
    caFile: write("ca.crt", ours.root.certPem),
    certFile: write("tls.crt", certPem),
    keyFile: write("tls.key", keyPem),
    crlFile: write("crl.pem", (await Promise.all(lists)).join("\n")),
  };
  processes.custody();
  processes.broker({
    listen: { kind: "mtls", address: { hosts: ["127.0.0.1"], port: 0 }, tls },
    itemsPerSecond: 100,
    itemsInFlight: 100,
  });
  await processes.until("custody", true);
  await processes.until("broker", true);
  port = Number((await processes.status("broker")).port);
});
afterAll(async () => {
  for (const client of clients) client.close();
  await processes.end();
});

/** A client with the identity that these authorities give that name. */
async function clientOf(name: string, authorities = ours, maxVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.3") {
  const { certPem, keyPem } = await leafOf(authorities, name);
  const context = createSecureContext({ ca: ours.root.certPem, cert: certPem, key: keyPem, maxVersion });
  const verified = { checkServerIdentity: () => undefined };
  const client = grpcClient(Kem, {
    address: `dns:localhost:${port}`,
    credentials: credentials.createFromSecureContext(context, verified),
  });
  clients.push(client);
  return client;
}

async function batch(count: number) {
  const { item } = sealTo(await activeOf(processes.at("manage")));
  return { use: Use.LIVE, items: packItems(Array(count).fill(item)) };
}
const refusedEvents = () =>
  processes
    .written()
    .split("\n")
    .filter((line) => line.includes('"AUTH_FAILED"'))
    .map((line) => JSON.parse(line).event);
const audit = () => readFileSync(processes.at("audit/audit-000000000001.ndjson"), "utf8").trim().split("\n");
const refusals = () =>
  audit()
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === "refused");

describe("the custody broker over mutual TLS", () => {
  it("opens for the collector", async () => {
    const collector = await clientOf("svc-collector");
    const { results } = await collector.call("decapsulateBatch", await batch(3), 20_000);
    expect([results.length, results[0]]).toEqual([99, 0]);
  });

  it.each(["gw-01", "svc-backend", "svc-custody-broker", "svc-collector-2", "op-admin"])(
    "refuses %s before it can ask, with an event and a record",
    async (name) => {
      const stranger = await clientOf(name);
      await expect(stranger.call("health", {}, 20_000)).rejects.toMatchObject({ code: "GRPC_UNREACHABLE" });
      await expect
        .poll(refusedEvents, { timeout: 20_000 })
        .toContainEqual(expect.objectContaining({ actor: name, object: "tls", reason: "wrong-identity" }));
      await expect
        .poll(refusals, { timeout: 20_000 })
        .toContainEqual(expect.objectContaining({ client: name, reason: "identity" }));
    },
  );

  it("refuses the collector of another tenant", async () => {
    const other = await clientOf("svc-collector", await makeAuthorities("acme"));
    await expect(other.call("health", {}, 20_000)).rejects.toMatchObject({ code: "GRPC_UNREACHABLE" });
    await expect
      .poll(refusedEvents, { timeout: 20_000 })
      .toContainEqual(expect.objectContaining({ actor: "unknown", reason: "wrong-ca" }));
  });

  it("speaks no TLS before 1.3, and nothing to whom shows no certificate", async () => {
    const old = await clientOf("svc-collector", ours, "TLSv1.2");
    await expect(old.call("health", {}, 20_000)).rejects.toMatchObject({ code: "GRPC_UNREACHABLE" });
    const context = createSecureContext({ ca: ours.root.certPem });
    const nobody = grpcClient(Kem, {
      address: `dns:localhost:${port}`,
      credentials: credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined }),
    });
    clients.push(nobody);
    await expect(nobody.call("health", {}, 20_000)).rejects.toMatchObject({ code: "GRPC_UNREACHABLE" });
  });

  it("refuses more than the collector may have opened, and records that once a second at most", async () => {
    const collector = await clientOf("svc-collector");
    const request = await batch(100);
    const asked = await Promise.allSettled(
      Array.from({ length: 50 }, () => collector.call("decapsulateBatch", request, 20_000)),
    );
    const rates = asked.filter(({ status }) => status === "rejected");
    expect(rates.length).toBeGreaterThan(30);
    for (const each of rates) expect(each).toMatchObject({ reason: { code: "CUSTODY_KEM_RATE" } });
    const counted = () =>
      refusals()
        .filter(({ reason }) => reason === "rate")
        .reduce((sum, { count }) => sum + count, 0);
    await expect.poll(counted, { timeout: 20_000 }).toBe(rates.length);
    expect(refusals().filter(({ reason }) => reason === "rate").length).toBeLessThan(10);
  });

  it("lets nobody manage keys", async () => {
    const collector = await clientOf("svc-collector");
    const { Management } = await import("../../custody/proto/custody_pb.ts");
    const both = { ...Kem, method: { ...Kem.method, seal: Management.method.seal } } as unknown as typeof Management;
    const { certPem, keyPem } = await leafOf(ours, "svc-collector");
    const context = createSecureContext({ ca: ours.root.certPem, cert: certPem, key: keyPem });
    const asking = grpcClient(both, {
      address: `dns:localhost:${port}`,
      credentials: credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined }),
    });
    await expect(asking.call("seal", { actor: "x", reason: "y" }, 20_000)).rejects.toMatchObject({
      code: "GRPC_FAILED",
    });
    asking.close();
    expect(await collector.call("health", {}, 20_000)).toMatchObject({ sealed: false });
    expect(await manage(processes.at("manage"), "health")).toMatchObject({ sealed: false });
  });
});
