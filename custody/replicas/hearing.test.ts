import { randomBytes } from "node:crypto";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { activeOf, opens } from "../keyring/test-support.ts";
import type { FollowAnswer } from "./answer.ts";
import { signStatement } from "./statement.ts";
import { type TestCustodies, type TestFollower, type TestWriter, testCustodies } from "./test-pair.ts";

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
