import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Kem, Outcome, Use } from "../../../custody/proto/custody_pb.ts";
import { catalogue, EXIT } from "../../../shared/errors.ts";
import { type GrpcClient, grpcClient } from "../../../shared/grpc/client.ts";
import type { MethodsOf } from "../../../shared/grpc/definition.ts";
import { createGrpcServer, type GrpcServer } from "./server.ts";
import { serveUnix } from "./unix.ts";

const errors = catalogue({ TEST_REFUSED: { exit: EXIT.authentication, summary: "refused", fix: "ask another" } });
const folder = mkdtempSync(join(tmpdir(), "tk-grpc-"));
const path = join(folder, "kem.sock");
const refused: unknown[] = [];
let answer: () => Promise<{ results: Uint8Array }>;
let server: GrpcServer;
let close: () => Promise<void>;
let client: GrpcClient<MethodsOf<typeof Kem>>;

beforeAll(async () => {
  server = createGrpcServer({
    maxMessageBytes: 1000,
    onRefused: (thrown) => refused.push(thrown),
    statusOf: ({ message }) => (message === "odd" ? status.DATA_LOSS : undefined),
  });
  server.add(Kem, {
    decapsulate: async ({ encapsulatedKey }) => ({ outcome: Outcome.OPENED, sharedSecret: encapsulatedKey }),
    decapsulateBatch: () => answer(),
    health: async () => ({ sealed: true }),
  });
  close = await serveUnix(server, path);
  client = grpcClient(Kem, { address: `unix:${path}` });
});
afterAll(async () => {
  client.close();
  await close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  refused.length = 0;
});

const batch = (limitMs = 10_000) =>
  client.call("decapsulateBatch", { use: Use.LIVE, items: new Uint8Array(40) }, limitMs);
const fails = (thrown: Error): void => {
  answer = () => Promise.reject(thrown);
};

/** What a raw HTTP/2 request is answered with. */
function raw(headers: Record<string, string>, body: Uint8Array): Promise<Record<string, unknown>> {
  const session = connectHttp2("http://kem", { createConnection: () => connect(path) });
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ":path": "/trustkern.custody.v1.Kem/Health", ...headers });
    const seen: Record<string, unknown> = {};
    stream.on("response", (more) => Object.assign(seen, more)).on("trailers", (more) => Object.assign(seen, more));
    stream
      .on("error", reject)
      .on("close", () => resolve(seen))
      .resume();
    stream.end(body);
  }).finally(() => session.destroy()) as Promise<Record<string, unknown>>;
}
const GRPC = { "content-type": "application/grpc+proto" };

describe("a gRPC server on a Unix socket", () => {
  it("answers, and lets nobody but its user at the socket", async () => {
    const enc = new Uint8Array(32).fill(7);
    const opened = await client.call("decapsulate", { use: Use.LIVE, encapsulatedKey: enc }, 10_000);
    expect(Buffer.from(opened.sharedSecret)).toEqual(Buffer.from(enc));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("answers an error of ours with its code, and with the status that is said for it", async () => {
    fails(errors.error("TEST_REFUSED", "not you"));
    await expect(batch()).rejects.toMatchObject({ code: "TEST_REFUSED", message: "not you" });
    expect(refused).toMatchObject([{ code: "TEST_REFUSED" }]);
    fails(errors.error("TEST_REFUSED", "odd"));
    await expect(batch()).rejects.toMatchObject({ code: "TEST_REFUSED" });
  });

  it("tells nobody what it did not mean to say", async () => {
    fails(new Error("the key is 00112233"));
    await expect(batch()).rejects.toMatchObject({ code: "SERVICE_INTERNAL", message: "the service failed" });
  });

  it.each([
    ["a body that is no message", GRPC, [0, 0, 0, 0, 2, 0xff, 0xff], "3"],
    ["a method that nobody has", { ...GRPC, ":path": "/x/y" }, [0, 0, 0, 0, 0], "12"],
    ["a message of 4 GiB", GRPC, [0, 255, 255, 255, 255], "8"],
  ])("refuses %s", async (_, headers, body, code) => {
    expect(await raw(headers, Uint8Array.from(body))).toMatchObject({ "grpc-status": code });
  });

  it("refuses what is no gRPC, and goes on", async () => {
    expect(await raw({ "content-type": "text/plain" }, Uint8Array.of(1))).toMatchObject({ ":status": 415 });
    const noise = connect(path).on("error", () => undefined);
    noise.end(Buffer.alloc(5000, 0x41));
    await delay(20);
    expect(await client.call("health", {}, 10_000)).toMatchObject({ sealed: true });
  });
});

describe("a gRPC client", () => {
  it("says that nobody is there, at once, and that an answer is late", async () => {
    const alone = grpcClient(Kem, { address: `unix:${join(folder, "nobody.sock")}` });
    await expect(alone.call("health", {}, 5000)).rejects.toMatchObject({ code: "GRPC_UNREACHABLE" });
    alone.close();
    answer = () => new Promise(() => undefined);
    await expect(batch(50)).rejects.toMatchObject({ code: "GRPC_UNREACHABLE" });
  });

  it("says that a service has no such method", async () => {
    const { Management } = await import("../../../custody/proto/custody_pb.ts");
    const other = grpcClient(Management, { address: `unix:${path}` });
    await expect(other.call("health", {}, 10_000)).rejects.toMatchObject({ code: "GRPC_FAILED" });
    other.close();
  });
});
