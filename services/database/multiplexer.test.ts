import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMultiplexer, type Multiplexer } from "./multiplexer.ts";
import { frame, readText, typeOf } from "./wire-frames.ts";

/** What the engine was handed, a word for each message but the guards, with the role it was. */
let seen: string[];
let role: string;
let multiplexer: Multiplexer;
let deaths: unknown[];
/** The transaction state that the engine reports next. */
let state: string;

beforeEach(() => {
  vi.useFakeTimers();
  [seen, role, deaths, state] = [[], "postgres", [], "I"];
  const engine = {
    exchange: async (messages: readonly Uint8Array[]) => {
      seen.push(...words(Buffer.concat(messages)).map((word) => `${role} ${word}`));
      if (seen.some((line) => line.includes("DIE"))) throw new Error("dead");
      if (seen.at(-1)?.includes("BEGIN")) state = "T";
      if (seen.at(-1)?.includes("COMMIT") || seen.at(-1)?.includes("ROLLBACK")) state = "I";
      return frame("Z", state);
    },
    query: async (sql: string) => {
      seen.push(`${role} ${sql.split(" ", 1)[0]}…`);
      return [["TimeZone", "Asia/Tokyo"]];
    },
  };
  const identity = {
    become: (next: string) => {
      role = next;
    },
  };
  const limits = { transactionIdleSeconds: 10, maxCopyBytes: 100 };
  multiplexer = createMultiplexer({ engine, identity, ...limits, onDeath: (thrown) => deaths.push(thrown) });
});
afterEach(() => vi.useRealTimers());

function words(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at + 1) + 1) {
    const message = bytes.subarray(at, at + bytes.readUInt32BE(at + 1) + 1);
    if (typeOf(message) === "Q") found.push(readText(message, 5));
    else if (typeOf(message) !== "f") found.push(typeOf(message));
  }
  return found.filter((word) => word !== "DISCARD ALL");
}

function attach(name: string, settings: Record<string, string> = {}) {
  const answers: string[] = [];
  const expelled: string[] = [];
  const client = multiplexer.attach({
    role: name,
    settings: new Map(Object.entries(settings)),
    answer: (bytes) => answers.push(bytes.toString("latin1")),
    expel: (sqlState) => expelled.push(sqlState),
  });
  return { ...client, answers, expelled, ask: (...sql: string[]) => client.push(sql.map((text) => query(text))) };
}
const query = (sql: string): Buffer => frame("Q", `${sql}\0`);
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe("turns", () => {
  it("keep a transaction together while others wait", async () => {
    const [left, right] = [attach("left"), attach("right")];
    left.ask("BEGIN");
    await settle();
    right.ask("R1");
    left.ask("L1", "COMMIT", "L2");
    await settle();
    expect(seen).toEqual(["left BEGIN", "left L1", "left COMMIT", "right R1", "left L2"]);
  });

  it("go round, so that a pipeline keeps nobody waiting", async () => {
    const [left, right] = [attach("left"), attach("right")];
    left.ask("L1", "L2", "L3");
    right.ask("R1");
    await settle();
    expect(seen).toEqual(["left L1", "right R1", "left L2", "left L3"]);
  });

  it("end with a rollback for a client that left in the middle", async () => {
    const [left, right] = [attach("left"), attach("right")];
    left.ask("BEGIN");
    await settle();
    right.ask("R1");
    left.leave();
    await settle();
    expect(seen).toEqual(["left BEGIN", "left S", "left ROLLBACK", "right R1"]);
  });

  it("forget what a client that left still wanted", async () => {
    const left = attach("left");
    left.ask("L1", "L2");
    left.leave();
    left.ask("L3");
    await settle();
    expect(seen).not.toContain("left L2");
    expect(seen).not.toContain("left L3");
  });

  it("end for a client that is silent in a transaction, however busy the others are", async () => {
    const [left, right] = [attach("left"), attach("right")];
    left.ask("BEGIN");
    for (let second = 0; second < 10; second += 1) {
      right.ask("R");
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(left.expelled).toEqual(["25P03"]);
    expect(right.answers).toHaveLength(10);
  });

  it("end for a client that opens a pipeline and never syncs", async () => {
    const [left, right] = [attach("left"), attach("right")];
    left.push([frame("P", "\0SELECT 1\0\0\0")]);
    right.ask("R");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(left.expelled).toEqual(["25P03"]);
    expect(right.answers).toHaveLength(1);
  });

  it("are over for all when the engine dies", async () => {
    const [left, right] = [attach("left"), attach("right")];
    left.ask("DIE");
    right.ask("R");
    await settle();
    expect(deaths).toHaveLength(1);
    expect(right.answers).toEqual([]);
  });
});

describe("a session that changes hands", () => {
  it("gets a client's settings back, and asks for them only where some may have changed", async () => {
    const [left, right] = [attach("left", { TimeZone: "UTC" }), attach("right")];
    left.ask("L1");
    await settle();
    right.ask("R1");
    await settle();
    expect(seen).toEqual([expect.stringMatching(/left SELECT .*'TimeZone', 'UTC'/), "left L1", "right R1"]);
    seen.length = 0;
    left.ask("SET TimeZone = 'Asia/Tokyo'");
    await settle();
    right.ask("R2");
    await settle();
    left.ask("L2");
    await settle();
    expect(seen.slice(2)).toEqual([
      "left SELECT…",
      "right R2",
      expect.stringMatching(/left SELECT .*'TimeZone', 'Asia\/Tokyo'/),
      "left L2",
    ]);
  });

  it("gets prepared statements back where they are used, and only then", async () => {
    const [left, right] = [attach("left"), attach("right")];
    const bind = frame("B", "\0one\0\0\0\0\0\0\0");
    left.push([frame("P", "one\0SELECT 1\0\0\0"), frame("S")]);
    await settle();
    left.push([bind, frame("S")]);
    await settle();
    expect(seen).toEqual(["left P", "left S", "left B", "left S"]);
    right.ask("R1");
    await settle();
    seen.length = 0;
    left.push([bind, frame("S")]);
    await settle();
    expect(seen).toEqual(["left P", "left S", "left B", "left S"]);
    right.ask("R2");
    left.push([frame("C", "Sone\0"), frame("S")]);
    await settle();
    right.ask("R3");
    await settle();
    seen.length = 0;
    left.push([bind, frame("S")]);
    await settle();
    expect(seen).toEqual(["left B", "left S"]);
  });

  it("is the superuser's for our own statements alone", async () => {
    const left = attach("left");
    left.ask("L1");
    await multiplexer.run("postgres", "CHECKPOINT");
    left.ask("L2");
    await settle();
    expect(seen).toEqual(["left L1", "postgres CHECKPOINT…", "left L2"]);
  });
});

describe("COPY FROM STDIN", () => {
  const data = (bytes: number): Buffer => frame("d", Buffer.alloc(bytes, 65));

  it("reaches the engine with all of its data at once", async () => {
    const left = attach("left");
    left.ask("/* why */ copy t from stdin");
    await settle();
    expect(left.answers).toEqual(["G\0\0\0\x07\0\0\0"]);
    left.push([data(10)]);
    left.push([data(10), frame("H"), frame("c")]);
    await settle();
    expect(seen).toEqual(["left /* why */ copy t from stdin", "left d", "left d", "left c"]);
    expect(left.answers).toHaveLength(2);
  });

  it("keeps nobody waiting while its data are on the way", async () => {
    const [left, right] = [attach("left"), attach("right")];
    left.ask("COPY t FROM STDIN");
    right.ask("R1");
    await settle();
    expect(right.answers).toHaveLength(1);
  });

  it("is ended where its data are too many, and not held in memory", async () => {
    const left = attach("left");
    left.ask("COPY t FROM STDIN");
    left.push([data(60), data(60), data(60), frame("c")]);
    await settle();
    expect(seen).toEqual(["left COPY t FROM STDIN"]);
  });

  it.each(["COPY t TO STDOUT", "COPY t FROM '/etc/passwd'", "SELECT 'COPY t FROM STDIN'"])("is not %s", async (sql) => {
    const left = attach("left");
    left.ask(sql);
    await settle();
    expect(left.answers).toEqual([frame("Z", "I").toString("latin1")]);
  });
});
