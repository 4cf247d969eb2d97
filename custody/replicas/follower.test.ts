import { generateKeyPairSync, randomBytes } from "node:crypto";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../keyring/state.ts";
import { activeOf, opens, retiredOf } from "../keyring/test-support.ts";
import type { FollowAnswer } from "./answer.ts";
import { signStatement } from "./statement.ts";
import { type TestCustodies, type TestFollower, type TestWriter, testCustodies } from "./test-pair.ts";
import { openWriter } from "./writer.ts";

let custodies: TestCustodies;
let writer: TestWriter;
let follower: TestFollower;
beforeEach(async () => {
  custodies = testCustodies();
  writer = await custodies.writer();
  follower = await custodies.follower();
});
afterEach(async () => {
  await writer.close();
  await follower.close();
  custodies.remove();
});

const code = (name: string) => expect.objectContaining({ code: name });
const keyFiles = (name = "custody-1") =>
  readdirSync(join(custodies.at(name), "keys"))
    .filter((file) => /^[0-9a-f]{16}\.key$/.test(file))
    .sort();
const lastChange = () => follower.audit.lastGenerations().at(-1);

describe("a custody that follows", () => {
  it("opens nothing until it has heard of the writer, and then what the writer opens", async () => {
    const generation = activeOf(writer.keyring);
    await expect(opens(follower.keyring, generation)).rejects.toThrow(code("CUSTODY_SEALED"));
    expect(follower.keyring.list()).toEqual([]);
    await follower.followFrom(writer);
    expect(follower.keyring.list()).toEqual(writer.keyring.list());
    expect(follower.keyring.packageKey).toEqual(writer.keyring.packageKey);
    expect(await opens(follower.keyring, generation)).toBe(true);
    expect(keyFiles()).toEqual(keyFiles("custody-0"));
  });

  it("opens by a generation that was made since, and gives a message of before too", async () => {
    await follower.followFrom(writer);
    const before = activeOf(writer.keyring);
    await writer.keyring.generate("op", { state: "active" });
    await follower.followFrom(writer);
    expect(await opens(follower.keyring, activeOf(writer.keyring))).toBe(true);
    expect(await opens(follower.keyring, before)).toBe(true);
    expect(lastChange()).toMatchObject({ change: "followed", actor: "custody" });
  });

  it("refuses every change, and says whom to ask", async () => {
    await follower.followFrom(writer);
    const { keyId } = activeOf(follower.keyring);
    const { keyring } = follower;
    for (const change of [
      () => keyring.generate("op", { state: "next" }),
      () => keyring.activate("op", keyId),
      () => keyring.destroy("op", keyId),
      () => keyring.compromise("op", keyId, { reason: "lost", stored: "block" }),
      () => keyring.importKey("op", randomBytes(32), { state: "retired" }),
      () => keyring.importPackage("op", randomBytes(32)),
    ])
      await expect(change()).rejects.toMatchObject({
        code: "CUSTODY_FOLLOWS",
        message: expect.stringContaining("custody-0"),
      });
    expect(follower.keyring.list()).toEqual(writer.keyring.list());
  });

  it("destroys its copy of a key, and records that it is gone", async () => {
    await writer.keyring.generate("op", { state: "active" });
    await follower.followFrom(writer);
    const retired = retiredOf(writer.keyring);
    await writer.keyring.destroy("op", retired.keyId);
    await follower.followFrom(writer);
    expect(await opens(follower.keyring, retired, "stored")).toBe(false);
    expect(keyFiles()).not.toContain(`${retired.keyId}.key`);
    expect(lastChange()).toMatchObject({ change: "destroyed", keyIds: [retired.keyId] });
  });

  it("blocks what was declared compromised", async () => {
    await follower.followFrom(writer);
    const lost = activeOf(writer.keyring);
    await writer.keyring.compromise("op", lost.keyId, { reason: "lost", stored: "allow" });
    await follower.followFrom(writer);
    expect([await opens(follower.keyring, lost, "live"), await opens(follower.keyring, lost, "stored")]).toEqual([
      false,
      true,
    ]);
  });

  it("takes away at once what it cannot put on record yet, and counts as not having heard", async () => {
    await follower.followFrom(writer);
    const lost = activeOf(writer.keyring);
    await writer.keyring.compromise("op", lost.keyId, { reason: "lost", stored: "block" });
    const withoutKeys = (answer: FollowAnswer) => ({ ...answer, keys: [] });
    await expect(follower.followFrom(writer, withoutKeys)).rejects.toThrow(code("CUSTODY_WRITER_KEYS"));
    expect(follower.keyring.list()).toMatchObject([{ keyId: lost.keyId, state: "active" }]);
    for (const use of ["live", "stored"] as const) expect(await opens(follower.keyring, lost, use)).toBe(false);
    custodies.pass(61_000);
    await expect(follower.followFrom(writer, withoutKeys)).rejects.toThrow(code("CUSTODY_WRITER_KEYS"));
    expect(follower.fresh()).toBe(false);
    await follower.followFrom(writer);
    expect(await opens(follower.keyring, lost, "stored")).toBe(false);
  });

  it("seals itself when it does not hear of the writer, and opens again when it does", async () => {
    await follower.followFrom(writer);
    const generation = activeOf(writer.keyring);
    custodies.pass(59_000);
    expect(await opens(follower.keyring, generation)).toBe(true);
    custodies.pass(2_000);
    await expect(opens(follower.keyring, generation)).rejects.toThrow(code("CUSTODY_SEALED"));
    await follower.followFrom(writer);
    expect(await opens(follower.keyring, generation)).toBe(true);
  });

  it("counts from its question: an answer that was held back is no fresher for that", async () => {
    await follower.followFrom(writer, async (answer) => {
      custodies.pass(29_000);
      return answer;
    });
    custodies.pass(32_000);
    expect(follower.fresh()).toBe(false);
  });

  it("puts on record now and then that nothing has changed, and not each time", async () => {
    await follower.followFrom(writer);
    const { seq } = lastChange() ?? {};
    await follower.followFrom(writer);
    expect(lastChange()?.seq).toBe(seq);
    custodies.pass(61_000);
    await follower.followFrom(writer);
    expect(lastChange()).toMatchObject({ change: "followed", keyIds: [] });
    expect(lastChange()?.seq).toBeGreaterThan(seq ?? 0);
  });

  it("starts anew with what it had, and opens by it only after it was heard again", async () => {
    await follower.followFrom(writer);
    await follower.close();
    follower = await custodies.follower();
    await expect(opens(follower.keyring, activeOf(writer.keyring))).rejects.toThrow(code("CUSTODY_SEALED"));
    await follower.followFrom(writer, (answer) => {
      expect(answer).toMatchObject({ state: "", keys: [] });
      return answer;
    });
    expect(await opens(follower.keyring, activeOf(writer.keyring))).toBe(true);
  });
});

describe("an answer is refused", () => {
  const refused = async (name: string, between: (answer: FollowAnswer) => FollowAnswer | Promise<FollowAnswer>) => {
    await expect(follower.followFrom(writer, between)).rejects.toThrow(code(name));
    expect(follower.fresh()).toBe(false);
    expect(follower.keyring.list()).toEqual([]);
  };
  const FORGED = "CUSTODY_WRITER_FORGED";

  it("that answers another question", async () => {
    const kept = await writer.answer(follower.question());
    await refused(FORGED, () => kept);
  });

  it("that comes twice, late, or unasked", async () => {
    const answer = await writer.answer(follower.question());
    custodies.pass(31_000);
    await expect(follower.follow(answer)).rejects.toThrow(code(FORGED));
    const next = await writer.answer(follower.question());
    await follower.follow(next);
    await expect(follower.follow(next)).rejects.toThrow(code(FORGED));
  });

  it.each([
    ["whose signature is changed", (a: FollowAnswer) => ({ ...a, statement: `${a.statement.slice(0, -8)}AAAAAAAA` })],
    ["without a statement", (a: FollowAnswer) => ({ ...a, statement: "x" })],
    ["whose state is changed", (a: FollowAnswer) => ({ ...a, state: a.state.replace("active", "retired") })],
    ["without a state", (a: FollowAnswer) => ({ ...a, state: "" })],
    [
      "whose introduction is changed",
      (a: FollowAnswer) => ({ ...a, introduction: Buffer.from(a.introduction).fill(1, 20, 21) }),
    ],
    [
      "whose introduction is a key of the store",
      (a: FollowAnswer) => ({ ...a, introduction: a.keys[0]?.wrapped ?? a.introduction }),
    ],
  ])("%s", (_, between) => refused(FORGED, between));

  it("of a custody that has no access to the wrapping key", async () => {
    const foreign = await custodies.writer("foreign", { wrapping: randomBytes(32) });
    await expect(follower.followFrom(foreign)).rejects.toThrow(code(FORGED));
    await foreign.close();
  });

  it("of another tenant's writer under the same wrapping key", async () => {
    const other = await custodies.writer("other", { tenant: "other" });
    await expect(follower.followFrom(other)).rejects.toThrow(code("CUSTODY_WRITER_CONTRADICTS"));
    await other.close();
  });

  it("of another custody than the one that was followed, also after a start", async () => {
    await follower.followFrom(writer);
    const other = await custodies.writer("other");
    await expect(follower.followFrom(other)).rejects.toThrow(code("CUSTODY_WRITER_OTHER"));
    await follower.close();
    follower = await custodies.follower();
    await expect(follower.followFrom(other)).rejects.toThrow(code("CUSTODY_WRITER_OTHER"));
    await follower.followFrom(writer);
    await other.close();
  });

  it("whose statement another custody signed, under the writer's introduction", async () => {
    const other = await custodies.writer("other");
    await refused(FORGED, async ({ introduction, statement, ...rest }) => {
      const said = JSON.parse(Buffer.from(statement.split(".")[1] ?? "", "base64url").toString());
      const { schema: _, ...members } = said;
      return { ...rest, introduction, statement: await signStatement(other.store.signer, members) };
    });
    await other.close();
  });

  const KEYS = "CUSTODY_WRITER_KEYS";
  const swapped = ({ keys, ...rest }: FollowAnswer): FollowAnswer => {
    const [a, b] = keys;
    if (a === undefined || b === undefined) throw new Error("two keys are needed");
    return {
      ...rest,
      keys: [
        { ...a, wrapped: b.wrapped },
        { ...b, wrapped: a.wrapped },
      ],
    };
  };
  it.each([
    ["whose key files are swapped", swapped],
    ["that lacks a key", ({ keys, ...rest }: FollowAnswer) => ({ ...rest, keys: keys.slice(1) })],
    [
      "whose keys are noise",
      ({ keys, ...rest }: FollowAnswer) => ({
        ...rest,
        keys: keys.map(({ keyId }) => ({ keyId, wrapped: randomBytes(60) })),
      }),
    ],
  ])("%s, and leaves no key behind", async (_, between) => {
    await refused(KEYS, between);
    expect(keyFiles()).toEqual([]);
    await follower.followFrom(writer);
    expect(await opens(follower.keyring, activeOf(writer.keyring))).toBe(true);
  });

  it("whose key is another one that the same wrapping key wraps", async () => {
    const other = await custodies.writer("other");
    const theirs = await other.answer({ challenge: randomBytes(32), known: "0".repeat(64) });
    await refused(KEYS, ({ keys, ...rest }) => ({
      ...rest,
      keys: keys.map(({ keyId }, index) => ({ keyId, wrapped: theirs.keys[index]?.wrapped ?? Buffer.of(1) })),
    }));
    await other.close();
  });

  it("of a writer under which an older volume was put back, also when it has changed anew since", async () => {
    await writer.close();
    cpSync(custodies.at("custody-0"), custodies.at("older"), { recursive: true });
    writer = await custodies.writer();
    await writer.keyring.generate("op", { state: "active" });
    await follower.followFrom(writer);
    const older = await custodies.writer("older");
    await expect(follower.followFrom(older)).rejects.toThrow(code("CUSTODY_WRITER_BEHIND"));
    await older.keyring.generate("op", { state: "active" });
    await older.keyring.generate("op", { state: "active" });
    await expect(follower.followFrom(older)).rejects.toThrow(code("CUSTODY_WRITER_CONTRADICTS"));
    await older.close();
  });

  it("of a writer whose log is shorter than it was, with the same state", async () => {
    await writer.close();
    cpSync(custodies.at("custody-0"), custodies.at("older"), { recursive: true });
    writer = await custodies.writer();
    for (let n = 0; n < 5; n += 1) await opens(writer.keyring, activeOf(writer.keyring));
    await follower.followFrom(writer);
    const older = await custodies.writer("older");
    await expect(follower.followFrom(older)).rejects.toThrow(code("CUSTODY_WRITER_BEHIND"));
    await older.close();
  });
});

describe("the role of a folder", () => {
  it("stays: what followed writes nothing, and what wrote follows nobody", async () => {
    await follower.followFrom(writer);
    await Promise.all([writer.close(), follower.close()]);
    await expect(custodies.writer("custody-1")).rejects.toThrow(code("CUSTODY_ROLE"));
    await expect(custodies.follower("custody-0")).rejects.toThrow(code("CUSTODY_ROLE"));
    writer = await custodies.writer();
    follower = await custodies.follower();
    await follower.followFrom(writer);
  });

  it("stays although the first answer was not taken whole", async () => {
    await expect(follower.followFrom(writer, (answer) => ({ ...answer, keys: [] }))).rejects.toThrow();
    await follower.close();
    follower = await custodies.follower();
    await follower.followFrom(writer);
    expect(follower.keyring.list()).toEqual(writer.keyring.list());
  });

  it("a folder of keys without a log is left as it is", async () => {
    await writer.close();
    const before = keyFiles("custody-0");
    for (const part of ["audit", "state"]) rmSync(join(custodies.at("custody-0"), part), { recursive: true });
    await expect(custodies.follower("custody-0")).rejects.toThrow(code("CUSTODY_STATE_CORRUPT"));
    expect(keyFiles("custody-0")).toEqual(before);
    writer = await custodies.writer("fresh");
  });

  it("an older volume under a follower takes what is missing", async () => {
    await follower.followFrom(writer);
    await follower.close();
    cpSync(custodies.at("custody-1"), custodies.at("older"), { recursive: true });
    follower = await custodies.follower();
    await writer.keyring.generate("op", { state: "active" });
    await follower.followFrom(writer);
    await follower.close();
    follower = await custodies.follower("older");
    await follower.followFrom(writer);
    expect(follower.keyring.list()).toEqual(writer.keyring.list());
    expect(await opens(follower.keyring, activeOf(writer.keyring))).toBe(true);
  });
});

it("a writer in the middle of a change states nothing, and never a state that its log does not have", async () => {
  const changing = writer.keyring.generate("op", { state: "active" });
  const seen = { answered: 0, changing: 0 };
  let done = false;
  void changing.finally(() => {
    done = true;
  });
  while (!done) {
    const { keyring, audit } = writer;
    const stated = keyring.stated();
    if (stated === null) {
      seen.changing += 1;
      await expect(writer.answer(follower.question())).rejects.toThrow(code("CUSTODY_WRITER_CHANGING"));
    } else {
      seen.answered += 1;
      expect(audit.lastGenerations().at(-1)).toMatchObject({ seq: stated.record, state: digestOf(stated.text) });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await changing;
  expect(seen.answered).toBeGreaterThan(0);
  const answer = openWriter({ ...writer, tenant: "acme", keyring: { stated: () => null } });
  await expect((await answer)(follower.question())).rejects.toThrow(code("CUSTODY_WRITER_CHANGING"));
});

it("a writer hands out no key of the signer, and no key that is not wrapped", async () => {
  const answer = await writer.answer(follower.question());
  const ids = new Set(answer.keys.map(({ keyId }) => keyId));
  expect(ids).toEqual(new Set([writer.keyring.packageKey.keyId, ...writer.keyring.list().map(({ keyId }) => keyId)]));
  const { privateKey } = generateKeyPairSync("x25519");
  await writer.keyring.importKey("op", privateKey.export({ format: "raw-private" }), { state: "retired" });
  const raw = privateKey.export({ format: "raw-private" });
  const next = await writer.answer(follower.question());
  for (const { wrapped } of next.keys) expect(Buffer.from(wrapped).includes(raw)).toBe(false);
});
