import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signHead } from "./head.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { readLedger } from "./read.ts";
import { hashOf, type LedgerEntry, NO_RECORD } from "./record.ts";
import { verifyLedger } from "./verify.ts";

const keyOf = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const signingKey = keyOf();
const publicKey = createPublicKey(signingKey);
const clock = () => new Date("2026-11-21T08:00:00Z");
let folder: string;
let file: string;
let headFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-ledger-"));
  [file, headFile] = [join(folder, "ledger.ndjson"), join(folder, "ledger.head")];
});
afterEach(() => rmSync(folder, { recursive: true }));

const entry = (serial: string, rest: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ...{ kind: "issued", serial, issuer: "TrustKern gateways", subject: "gw-01", class: "gateways" },
  ...{ notAfter: "2027-02-19T08:00:00.000Z", sha256: "00", actor: "op-admin", reason: "renewal" },
  ...rest,
});
const open = (): Promise<Ledger> => openLedger({ file, headFile, signingKey, clock });
async function filled(count: number): Promise<void> {
  const ledger = await open();
  for (let index = 1; index <= count; index++) await ledger.append(entry(`a${index}`));
  ledger.close();
}
const text = (): string => readFileSync(file, "utf8");
const head = (): string => readFileSync(headFile, "utf8");
const codes = async (of: { text?: string; head?: string; earlierHeads?: string[] } = {}): Promise<string[]> =>
  (await verifyLedger({ text: text(), head: head(), publicKey, ...of })).map(({ code }) => code);

describe("a ledger", () => {
  test("keeps what is added, over a restart, each line with the hash of the one before", async () => {
    await filled(2);
    const ledger = await open();
    await ledger.append(entry("00A1", { kind: "revoked", reason: "keyCompromise", verdict: "e30.e30.AA" }));
    ledger.close();
    const lines = text().trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[2]!)).toMatchObject({ seq: 3, prev: hashOf(lines[1]!), at: "2026-11-21T08:00:00.000Z" });
    expect(JSON.parse(lines[0]!).prev).toBe(NO_RECORD);
    expect(await codes()).toEqual([]);
    const again = await open();
    expect(again.findBySerial("A1").map(({ seq }) => seq)).toEqual([1, 3]);
    expect(again.findBySerial("00a2").map(({ kind }) => kind)).toEqual(["issued"]);
    expect(again.findBySerial("ff")).toEqual([]);
    expect(again.evidence().text).toBe(text());
    again.close();
  });

  test("is empty and verifies before its first record", async () => {
    (await open()).close();
    expect(text()).toBe("");
    expect(await codes()).toEqual([]);
  });

  test("puts records that are added at once one after the other", async () => {
    const ledger = await open();
    const added = await Promise.all(Array.from({ length: 20 }, (_, index) => ledger.append(entry(`b${index}`))));
    ledger.close();
    expect(added.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(await codes()).toEqual([]);
  });

  test("opens after a death at any byte of an addition, with what was confirmed", async () => {
    await filled(3);
    const [before, old] = [text(), head()];
    const ledger = await open();
    await ledger.append(entry("dead"));
    ledger.close();
    const [after, fresh] = [text(), head()];
    for (let bytes = before.length; bytes <= after.length; bytes++) {
      writeFileSync(file, after.slice(0, bytes));
      writeFileSync(headFile, old);
      const again = await open();
      expect(again.records()).toHaveLength(3);
      await again.append(entry("dead"));
      again.close();
      expect(text()).toBe(after);
      expect(await codes()).toEqual([]);
    }
    writeFileSync(headFile, fresh);
    const again = await open();
    expect(again.findBySerial("dead")).toHaveLength(1);
    again.close();
  }, 120_000);

  test("opens after a death between the two files of its first run", async () => {
    writeFileSync(file, "");
    (await open()).close();
    expect(existsSync(headFile)).toBe(true);
  });

  test.each<readonly [string, () => void]>([
    ["a line that was changed", () => writeFileSync(file, text().replace("gw-01", "gw-02"))],
    ["a line that is missing", () => writeFileSync(file, text().split("\n").toSpliced(1, 1).join("\n"))],
    ["its end missing", () => truncateSync(file, text().length - 10)],
    ["no file", () => rmSync(file)],
    ["no head", () => rmSync(headFile)],
    ["an empty head", () => writeFileSync(headFile, "")],
    ["two records that nobody confirmed", () => appendFileSync(file, "{}\n{}\n")],
  ])("does not open with %s", async (_, harm) => {
    await filled(3);
    harm();
    await expect(open()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
  });

  test("does not open with an old head, as if what came after it had not been confirmed", async () => {
    await filled(1);
    const old = head();
    await filled(2);
    writeFileSync(headFile, old);
    const before = text();
    await expect(open()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
    expect(text()).toBe(before);
  });

  test("does not open with the head of another key", async () => {
    await filled(1);
    writeFileSync(headFile, await signHead({ seq: 1, hash: hashOf(text().trimEnd()), at: "" }, keyOf()));
    await expect(open()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
  });

  test("adds nothing to a file that somebody else wrote to, and nothing that cannot be confirmed", async () => {
    const ledger = await open();
    await ledger.append(entry("a1"));
    appendFileSync(file, "x");
    await expect(ledger.append(entry("a2"))).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
    truncateSync(file, text().length - 1);
    await ledger.append(entry("a3"));
    const before = text();
    const away = `${folder}-away`;
    renameSync(folder, away);
    await expect(ledger.append(entry("a4"))).rejects.toThrow("ENOENT");
    renameSync(away, folder);
    expect(text()).toBe(before);
    await ledger.append(entry("a5"));
    ledger.close();
    expect(await codes()).toEqual([]);
  });
});

describe("who reads a ledger", () => {
  const read = () => readLedger({ file, headFile, publicKey });

  test("has every confirmed record at any byte of an addition, and changes nothing", async () => {
    await filled(2);
    const old = head();
    await filled(2);
    const [whole, fresh] = [text(), head()];
    const confirmed = whole.split("\n").slice(0, 2).join("\n").length + 1;
    for (let bytes = confirmed; bytes <= whole.length; bytes++) {
      writeFileSync(file, whole.slice(0, bytes));
      writeFileSync(headFile, old);
      expect(await read()).toHaveLength(2);
      expect([text(), head()]).toEqual([whole.slice(0, bytes), old]);
    }
    writeFileSync(headFile, fresh);
    expect(await read()).toHaveLength(4);
  });

  test("disturbs nobody who writes meanwhile", async () => {
    const ledger = await open();
    let reading = true;
    const reader = (async () => {
      for (let seen = 0; reading; ) {
        const { length } = await read();
        expect(length).toBeGreaterThanOrEqual(seen);
        seen = length;
      }
    })();
    for (let index = 1; index <= 100; index++) await ledger.append(entry(`c${index}`));
    reading = false;
    await reader;
    ledger.close();
    expect(await codes()).toEqual([]);
    expect(await read()).toHaveLength(100);
  });

  test("makes no file", async () => {
    expect(await read()).toEqual([]);
    expect([existsSync(file), existsSync(headFile)]).toEqual([false, false]);
  });

  test.each<readonly [string, () => void]>([
    ["a line that was changed", () => writeFileSync(file, text().replace("gw-01", "gw-02"))],
    ["a line that is missing", () => writeFileSync(file, text().split("\n").toSpliced(1, 1).join("\n"))],
    ["its end missing", () => truncateSync(file, text().length - 1)],
    ["no file", () => rmSync(file)],
    ["no head", () => rmSync(headFile)],
    ["an empty head", () => writeFileSync(headFile, "")],
  ])("is refused one with %s", async (_, harm) => {
    await filled(3);
    harm();
    await expect(read()).rejects.toMatchObject({ code: "LEDGER_CORRUPT" });
  });
});

describe("verifyLedger finds", () => {
  test("any byte that was changed, in the records or in the head", async () => {
    await filled(3);
    const [goodText, goodHead] = [text(), head().trimEnd()];
    const flip = (good: string, at: number, by: number): string => {
      const bytes = Buffer.from(good);
      bytes[at] = bytes[at]! ^ by;
      return bytes.toString("latin1");
    };
    const anywhere = fc.record({ at: fc.nat(), by: fc.integer({ min: 1, max: 127 }), inHead: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(anywhere, async ({ at, by, inHead }) => {
        const changed = inHead
          ? { text: goodText, head: flip(goodHead, at % goodHead.length, by) }
          : { text: flip(goodText, at % goodText.length, by), head: goodHead };
        expect(await codes(changed)).not.toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test("any records dropped, doubled or in another order", async () => {
    await filled(5);
    const lines = text().trimEnd().split("\n");
    const render = (chosen: readonly number[]): string => chosen.map((index) => `${lines[index]}\n`).join("");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4 }), { maxLength: 7 }), async (chosen) => {
        fc.pre(chosen.join() !== "0,1,2,3,4");
        expect(await codes({ text: render(chosen) })).not.toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("a file that is cut off at any byte", async () => {
    await filled(2);
    for (let bytes = 0; bytes < text().length; bytes++) {
      expect(await codes({ text: text().slice(0, bytes) })).not.toEqual([]);
    }
  });

  test("a chain that was made anew without the key, by the head", async () => {
    await filled(2);
    const [first, second] = text().trimEnd().split("\n");
    const forged = first!.replace("gw-01", "gw-99");
    const next = second!.replace(hashOf(first!), hashOf(forged));
    expect(await codes({ text: `${forged}\n${next}\n` })).toEqual(["LEDGER_HEAD"]);
  });

  test("records beyond the head, and a head beyond the records", async () => {
    await filled(1);
    const [short, old] = [text(), head()];
    await filled(1);
    expect(await codes({ head: old })).toEqual(["LEDGER_BEYOND"]);
    expect(await codes({ text: short })).toEqual(["LEDGER_CUT"]);
  });

  test("what the key itself took back, with a head that somebody kept", async () => {
    await filled(3);
    const kept = head();
    rmSync(file);
    rmSync(headFile);
    await filled(2);
    expect(await codes()).toEqual([]);
    expect(await codes({ earlierHeads: [kept] })).toEqual(["LEDGER_CUT"]);
    const ledger = await open();
    await ledger.append(entry("other"));
    ledger.close();
    expect(await codes({ earlierHeads: [kept] })).toEqual(["LEDGER_HEAD"]);
  });

  test("a head of another key, and none", async () => {
    await filled(1);
    const foreign = await signHead({ seq: 1, hash: hashOf(text().trimEnd()), at: "" }, keyOf());
    for (const each of [foreign, "", "e30.e30.e30", "not a head"]) {
      expect(await codes({ head: each })).toEqual(["LEDGER_HEAD"]);
    }
  });
});
