import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listeners } from "../../../../shared/net-tables.ts";
import { type FilesAnswer, lookInside, readFiles, sendDatagram } from "./programs.ts";

const dir = mkdtempSync(join(tmpdir(), "tk-inside-"));
const tcp = createServer((socket) => socket.end());
const udp = createSocket("udp4");
let open: number;
let datagrams: number;

beforeAll(async () => {
  tcp.listen(0, "127.0.0.1");
  udp.bind(0, "127.0.0.1");
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
  [open, datagrams] = [(tcp.address() as AddressInfo).port, udp.address().port];
  udp.on("message", (bytes, { port, address }) => {
    // An empty acknowledgement, and then the response.
    if (bytes.length > 4) udp.send(Buffer.from("60001234", "hex"), port, address);
    udp.send(bytes.length > 4 ? Buffer.from("60441234", "hex") : Buffer.from("70000001", "hex"), port, address);
  });
});
afterAll(() => {
  tcp.close();
  udp.close();
  rmSync(dir, { recursive: true });
});

async function first<T>(answers: AsyncIterable<T>): Promise<T> {
  for await (const answer of answers) return answer;
  throw new Error("no answer");
}

async function all<T>(answers: AsyncIterable<T>): Promise<readonly T[]> {
  const given: T[] = [];
  for await (const answer of answers) given.push(answer);
  return given;
}

const look = (question: Partial<Parameters<typeof lookInside>[0]>) =>
  first(lookInside({ reach: [], names: [], files: [], ...question }));
const target = (port: number, protocol: "tcp" | "udp" = "tcp", host = "127.0.0.1") => ({
  ...{ host, port, protocol },
  timeoutMs: 500,
});

describe("a look inside", () => {
  it("tells what connects, what refuses, and a name that has no address", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const reach = [target(open), target(port), target(datagrams, "udp"), target(open, "tcp", "nobody.invalid")];
    expect((await look({ reach })).reach).toEqual([
      [{ address: "127.0.0.1", reached: "connected" }],
      [{ address: "127.0.0.1", reached: "refused" }],
      [{ address: "127.0.0.1", reached: "connected" }],
      [],
    ]);
  });

  it("sees what listens", async () => {
    const { tables } = await look({});
    expect(listeners((name) => tables[name] ?? "")).toContainEqual({
      protocol: "tcp",
      address: "127.0.0.1",
      port: open,
    });
  });

  it("tells the digest of a file, and why it has none", async () => {
    writeFileSync(join(dir, "config"), "text");
    const digest = createHash("sha256").update("text").digest("hex");
    expect((await look({ files: [join(dir, "config"), join(dir, "none"), dir] })).files).toEqual([
      digest,
      "ENOENT",
      "EISDIR",
    ]);
  });

  it("says that a silent port is silent, and does not wait for ever", async () => {
    const mute = createSocket("udp4");
    mute.bind(0, "127.0.0.1");
    await once(mute, "listening");
    const [reached] = (await look({ reach: [target(mute.address().port, "udp")] })).reach;
    mute.close();
    expect(reached).toEqual([{ address: "127.0.0.1", reached: "silent" }]);
  });
});

describe("files that are handed over", () => {
  const folder = join(dir, "files");
  beforeAll(() => {
    mkdirSync(join(folder, "below"), { recursive: true });
    writeFileSync(join(folder, "below", "large"), "a".repeat(2_500));
    writeFileSync(join(folder, "empty"), "");
    symlinkSync("/etc/passwd", join(folder, "link"));
  });
  const read = (folders: readonly string[], since = 0) => all(readFiles({ folders, since, partBytes: 1_000 }));

  it("are whole, in parts, also below folders; links are not followed", async () => {
    const found = (await read([folder])).filter((one) => "bytes" in one) as Extract<FilesAnswer, { bytes: string }>[];
    const texts = Map.groupBy(found, ({ path }) => path);
    expect([...texts.keys()].sort()).toEqual([join(folder, "below", "large"), join(folder, "empty")]);
    const parts = texts.get(join(folder, "below", "large")) ?? [];
    expect(parts.map(({ last }) => last)).toEqual([false, false, true]);
    expect(parts.map(({ bytes }) => Buffer.from(bytes, "base64").toString()).join("")).toBe("a".repeat(2_500));
  });

  it("are only told where nobody has touched them since, whatever time they were given", async () => {
    utimesSync(join(folder, "empty"), new Date(0), new Date(0));
    expect(await read([folder], Date.now() + 60_000)).toContainEqual({ path: join(folder, "empty"), old: true });
    expect(await read([folder], Date.now() - 60_000)).not.toContainEqual({ path: join(folder, "empty"), old: true });
  });

  it("are missed aloud where their folder is not there", async () => {
    expect(await read([join(dir, "none")])).toEqual([{ path: join(dir, "none"), why: "ENOENT" }]);
  });
});

describe("a datagram", () => {
  const send = (port: number) => first(sendDatagram({ port, bytes: "400200010203", timeoutMs: 600, againMs: 200 }));

  it("is answered by the response, and not by the acknowledgement", async () => {
    expect(await send(datagrams)).toEqual({ bytes: "60441234" });
  });

  it("is unanswered where nobody listens", async () => {
    const closed = createSocket("udp4");
    closed.bind(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address();
    closed.close();
    expect(await send(port)).toMatchObject({ why: expect.stringMatching(/ECONNREFUSED|no answer/) });
  });
});

it.each([
  ["lookInside", lookInside, { reach: [], names: [], files: [] }],
  ["readFiles", readFiles, { folders: ["/none"], since: 0, partBytes: 10 }],
  ["sendDatagram", sendDatagram, { port: 9, bytes: "40020001", timeoutMs: 50, againMs: 20 }],
] as const)("%s runs by its text alone, as it does in a pod", (_, program, question) => {
  const script = `(async()=>{for await(const a of (${String(program)})(${JSON.stringify(question)}))console.log(JSON.stringify(a))})()`;
  const text = execFileSync(process.execPath, ["-e", script], { encoding: "utf8", timeout: 10_000 });
  expect(typeof JSON.parse(text)).toBe("object");
});
