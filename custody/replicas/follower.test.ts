import { generateKeyPairSync, randomBytes } from "node:crypto";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../keyring/state.ts";
import { activeOf, opens, retiredOf } from "../keyring/test-support.ts";
import type { FollowAnswer } from "./answer.ts";
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
