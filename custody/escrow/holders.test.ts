import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import { assertRecipients, decryptShare, encryptShare, isAgeFile } from "./age-share.ts";
import { assertQuorum, type Holder } from "./holders.ts";

const holder = (name: string, recipient?: string): Holder => ({ name, operator: "customer", recipient });
const [anna, ben] = [holder("anna"), holder("ben")];
const many = (count: number) => Array.from({ length: count }, (_, at) => holder(`h${at}`));

describe("a quorum", () => {
  test.each([
    [2, [anna, ben]],
    [255, many(255)],
    [2, [holder("a"), holder(`a${"-b".repeat(15)}`)]],
  ])("can be %i of some", (threshold, holders) => {
    expect(() => assertQuorum({ threshold, holders })).not.toThrow();
  });

  test.each([
    [1, [anna, ben]],
    [0, [anna, ben]],
    [-2, [anna, ben]],
    [2.5, many(3)],
    [Number.NaN, [anna, ben]],
    [3, [anna, ben]],
    [2, [anna]],
    [2, []],
    [2, many(256)],
  ])("cannot be %d of %j", (threshold, holders) => {
    expect(() => assertQuorum({ threshold, holders })).toThrow(
      expect.objectContaining({ code: "CUSTODY_ESCROW_QUORUM" }),
    );
  });

  test.each([
    ["a name that is none", [anna, holder("")]],
    ["a path", [anna, holder("../ben")]],
    ["capitals", [anna, holder("Ben")]],
    ["a hyphen at the end", [anna, holder("ben-")]],
    ["a name of 33 characters", [anna, holder("b".repeat(33))]],
    ["one name twice", [anna, holder("anna")]],
    ["one recipient twice", [holder("anna", "age1x"), holder("ben", "age1x")]],
    ["an operator that is none", [anna, { name: "ben", operator: "us" as "customer" }]],
  ])("has no holder with %s", (_, holders) => {
    expect(() => assertQuorum({ threshold: 2, holders })).toThrow(
      expect.objectContaining({ code: "CUSTODY_ESCROW_HOLDER" }),
    );
  });
});

describe("a share in an age file", () => {
  test("is opened by its holder's identity, armored or not, and by nobody else's", async () => {
    const [mine, other] = [await generateX25519Identity(), await generateX25519Identity()];
    const file = Buffer.from(await encryptShare(await identityToRecipient(mine), "text of a share"));
    expect(isAgeFile(file)).toBe(true);
    expect(await decryptShare(file, [`# me\n\n${other}\r\n${mine}\n`], "s.age")).toBe("text of a share\n");
    const unreadable = { code: "CUSTODY_SHARE_UNREADABLE", path: "s.age" };
    await expect(decryptShare(file, [other], "s.age")).rejects.toMatchObject(unreadable);
    await expect(decryptShare(file, [], "s.age")).rejects.toMatchObject(unreadable);
    await expect(decryptShare(file, ["AGE-SECRET-KEY-1X"], "s.age")).rejects.toMatchObject(unreadable);
    await expect(decryptShare(file.subarray(0, 200), [mine], "s.age")).rejects.toMatchObject(unreadable);
    await expect(decryptShare(file.fill("Q", 150, 160), [mine], "s.age")).rejects.toMatchObject(unreadable);
  });

  test("is not taken for text, nor text for it", () => {
    expect(isAgeFile(Buffer.from("age-encryption.org/v1\n-> X25519"))).toBe(true);
    for (const text of ["tkshare1-qqqq", "", "age1qqq"]) expect(isAgeFile(Buffer.from(text))).toBe(false);
  });

  test.each(["", "age1", "age1qqqq", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1X"])(
    "has no recipient %j, and the error does not repeat it",
    async (recipient) => {
      const thrown = await assertRecipients([holder("anna", recipient)]).catch((error) => error);
      expect(thrown).toMatchObject({ code: "CUSTODY_ESCROW_HOLDER" });
      if (recipient.length > 5) expect(thrown.message).not.toContain(recipient);
    },
  );
});
