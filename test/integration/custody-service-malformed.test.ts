import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKemClient } from "../../services/collector/kem/client.ts";
import { activeOf, opens } from "./custody/asking.ts";
import { type CustodyProcesses, custodyProcesses, type Running } from "./custody/processes.ts";

let processes: CustodyProcesses;
let broker: Running;
let custody: Running;

beforeAll(async () => {
  processes = custodyProcesses();
  custody = processes.custody();
  broker = processes.broker();
  await processes.until("custody", true);
  await processes.until("broker", true);
});
afterAll(() => processes.end());

/** Two to four seconds on a machine of its own. */
const BUSY_MS = 120_000;
const KEM = "/trustkern.custody.v1.Kem/";
const HEADERS = {
  ":method": "POST",
  ":path": `${KEM}DecapsulateBatch`,
  "content-type": "application/grpc",
  te: "trailers",
};

/** A gRPC message of that body. */
function framed(body: Uint8Array, length = body.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, body]);
}
/** `items` of that many bytes, with use `live`. */
const items = (bytes: number): Buffer => {
  const length =
    bytes < 128
      ? [bytes]
      : bytes < 16_384
        ? [(bytes & 127) | 128, bytes >> 7]
        : [(bytes & 127) | 128, ((bytes >> 7) & 127) | 128, bytes >> 14];
  return Buffer.concat([Buffer.of(0x08, 1, 0x12, ...length), Buffer.alloc(bytes)]);
};

function session(): ClientHttp2Session {
  return connectHttp2("http://kem", { createConnection: () => connect(processes.at("open")) }).on(
    "error",
    () => undefined,
  );
}

/** Sends one request, and gives the status of its answer; none where the stream was ended. */
function send(to: ClientHttp2Session, headers: object, body: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (to.destroyed || to.closed) return resolve(undefined);
    let status: string | undefined;
    const stream = to.request({ ...HEADERS, ...headers });
    const note = (more: Record<string, unknown>): void => {
      status = String(more["grpc-status"] ?? status ?? more[":status"]);
    };
    stream
      .on("response", note)
      .on("trailers", note)
      .on("error", () => undefined);
    stream.on("close", () => resolve(status)).resume();
    stream.end(body);
  });
}

const REQUESTS: readonly (readonly [what: string, headers: object, body: () => Uint8Array])[] = [
  ["random bytes", {}, () => framed(randomBytes(64))],
  ["a length that is too long", {}, () => framed(randomBytes(64), 128)],
  ["a length of 4 GiB", {}, () => framed(randomBytes(8), 0xffffffff)],
  ["1025 items", {}, () => framed(items(40 * 1025))],
  ["a cut item", {}, () => framed(items(39))],
  ["no items", {}, () => framed(items(0))],
  ["nothing", {}, () => Buffer.alloc(0)],
  ["a method that nobody has", { ":path": `${KEM}ExportKeys` }, () => framed(items(40))],
  ["a service that is elsewhere", { ":path": "/trustkern.custody.v1.Management/Seal" }, () => framed(Buffer.alloc(0))],
  ["compressed bytes", { "grpc-encoding": "gzip" }, () => Buffer.concat([Buffer.of(1, 0, 0, 0, 8), randomBytes(8)])],
  ["another content type", { "content-type": "text/plain" }, () => randomBytes(64)],
  ["large headers", { "x-a": "a".repeat(6000) }, () => framed(items(39))],
  ["a wild deadline", { "grpc-timeout": "999999999999H" }, () => framed(items(39))],
];

/** Resident memory of a process, in MiB. */
function residentMiB({ child }: Running): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

async function stillOpens(): Promise<boolean> {
  const kem = createKemClient({ custody: { kind: "unix", socket: processes.at("open") }, onState: () => undefined });
  try {
    return await opens(kem, await activeOf(processes.at("manage")));
  } finally {
    kem.close();
  }
}

describe("ten thousand malformed requests", () => {
  it.each(REQUESTS)("%s is refused, and is no answer", async (_, headers, body) => {
    const to = session();
    expect(await send(to, headers, body())).not.toBe("0");
    to.destroy();
  });

  it(
    "leave the broker alive, its memory bounded, and custody unasked",
    async () => {
      const asked = (await processes.status("custody")).counters as Record<string, number>;
      const rounds = Math.ceil(10_000 / REQUESTS.length / 10);
      const statuses = new Set<string | undefined>();
      const memory: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const to = session();
        for (let n = 0; n < 10; n++)
          for (const status of await Promise.all(REQUESTS.map(([, headers, body]) => send(to, headers, body()))))
            statuses.add(status);
        to.destroy();
        memory.push(residentMiB(broker));
      }
      expect(statuses).not.toContain("0");
      expect(statuses).toContain("3");
      expect(broker.child.exitCode).toBeNull();
      // What is held for good would grow with each round; a heap that was never full grows at first.
      expect(memory.at(-1)).toBeLessThan((memory[Math.floor(rounds / 2)] ?? 0) * 1.3 + 20);
      expect(memory.at(-1)).toBeLessThan(400);
      const counters = (await processes.status("custody")).counters;
      expect(counters).toMatchObject({ items: asked.items, malformedFrames: 0 });
      expect(await stillOpens()).toBe(true);
    },
    BUSY_MS,
  );

  it(
    "of random bytes on the connection itself end it, and no other",
    async () => {
      for (let n = 0; n < 300; n++) {
        const noise = connect(processes.at("open")).on("error", () => undefined);
        const preface = n % 2 === 0 ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "";
        noise.end(Buffer.concat([Buffer.from(preface), randomBytes(1 + (n % 500))]));
        await once(noise.resume(), "close");
      }
      expect(broker.child.exitCode).toBeNull();
      expect(await stillOpens()).toBe(true);
    },
    BUSY_MS,
  );

  it("of endless headers and half-open streams take no memory, and no turn from others", async () => {
    const before = residentMiB(broker);
    const hostile = session();
    const headers = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x-${n}`, "a".repeat(2000)]));
    await send(hostile, headers, framed(items(40)));
    const open = Array.from({ length: 20 }, session);
    for (const each of open)
      for (let n = 0; n < 200; n++)
        each
          .request(HEADERS)
          .on("error", () => undefined)
          .write(Buffer.alloc(5));
    expect(await stillOpens()).toBe(true);
    expect(residentMiB(broker)).toBeLessThan(before + 150);
    for (const each of [hostile, ...open]) each.destroy();
  });

  it("reach custody's own socket only as frames, and end that connection alone", async () => {
    for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), randomBytes(5000), Buffer.of(0, 0, 0, 1, 0xf6)]) {
      const bad = connect(processes.at("kem")).on("error", () => undefined);
      bad.write(bytes);
      await once(bad.resume(), "close");
    }
    expect(custody.child.exitCode).toBeNull();
    expect(await stillOpens()).toBe(true);
  });
});
