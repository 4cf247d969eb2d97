import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Deal } from "./deal.ts";
import { checkShares, type GivenShare, recover } from "./recover.ts";
import { type EscrowSecrets, makeSecrets } from "./secrets.ts";
import { renderShare } from "./share.ts";
import { bring, dealTo } from "./test-deal.ts";

const quorum = fc.integer({ min: 2, max: 9 }).chain((total) =>
  fc.record({
    total: fc.constant(total),
    threshold: fc.integer({ min: 2, max: total }),
    order: fc.shuffledSubarray(
      Array.from({ length: total }, (_, at) => at + 1),
      { minLength: total, maxLength: total },
    ),
  }),
);

describe("a quorum", () => {
  test("restores both keys, whoever is in it, in any order", async () => {
    await fc.assert(
      fc.asyncProperty(quorum, fc.nat(), async ({ total, threshold, order }, more) => {
        const secrets = makeSecrets();
        const dealt = await dealTo(threshold, total, { secrets });
        const came = order.slice(0, threshold + (more % (total - threshold + 1)));
        const given = came.flatMap((number) => bring(dealt, number));
        const found = await recover(dealt.escrow, given);
        expect(Buffer.from(found.secrets.privateKey).equals(secrets.privateKey)).toBe(true);
        expect(Buffer.from(found.secrets.ceremonyKey).equals(secrets.ceremonyKey)).toBe(true);
        expect(found.used).toEqual(came.toSorted((one, other) => one - other));
      }),
      { numRuns: 40 },
    );
  });

  test("is not there with one share too few, whoever is missing", async () => {
    await fc.assert(
      fc.asyncProperty(quorum, async ({ total, threshold, order }) => {
        const dealt = await dealTo(threshold, total);
        const given = order.slice(1, threshold).flatMap((number) => bring(dealt, number));
        await expect(recover(dealt.escrow, given)).rejects.toMatchObject({
          code: "CUSTODY_SHARES_TOO_FEW",
          message: expect.stringContaining("1 missing"),
        });
      }),
      { numRuns: 20 },
    );
  });

  test("has up to 255 holders", async () => {
    const secrets = makeSecrets();
    const dealt = await dealTo(200, 255, { secrets });
    const given = bring(dealt).slice(55);
    expect(Buffer.from((await recover(dealt.escrow, given)).secrets.privateKey).equals(secrets.privateKey)).toBe(true);
  }, 20_000);
});

describe("a share that is not the one", () => {
  let secrets: EscrowSecrets;
  let dealt: Deal;
  let others: Readonly<Record<"foreign" | "generation" | "set", Deal>>;
  beforeAll(async () => {
    secrets = makeSecrets();
    dealt = await dealTo(3, 5, { secrets });
    others = {
      foreign: await dealTo(3, 5, { secrets, tenant: "other" }),
      generation: await dealTo(3, 5),
      set: await dealTo(3, 5, { secrets }),
    };
  });
  const failing = (given: readonly GivenShare[]) => recover(dealt.escrow, given);
  const from = (other: Deal): GivenShare => ({ source: "wrong", text: bring(other, 3)[0]?.text ?? "" });
  const forged = (): GivenShare => {
    const share = dealt.shares[2]?.share;
    if (share === undefined) throw new TypeError("no share 3");
    return { source: "wrong", text: renderShare({ ...share, bytes: randomBytes(33) }) };
  };

  test.each<[string, () => GivenShare, string]>([
    ["another tenant's", () => from(others.foreign), "CUSTODY_SHARE_FOREIGN"],
    ["another generation's", () => from(others.generation), "CUSTODY_SHARE_OTHER_GENERATION"],
    ["of the set before a re-share", () => from(others.set), "CUSTODY_SHARE_OTHER_SET"],
    ["made up, with a good checksum", forged, "CUSTODY_SHARE_FORGED"],
    [
      "one that is there already",
      () => ({ ...from(dealt), text: bring(dealt, 1)[0]?.text ?? "" }),
      "CUSTODY_SHARE_DUPLICATE",
    ],
    ["no share", () => ({ source: "wrong", text: "hello" }), "CUSTODY_SHARE_NOT_ONE"],
    [
      "damaged",
      () => ({ source: "wrong", text: bring(dealt, 3)[0]?.text.slice(0, -1) ?? "" }),
      "CUSTODY_SHARE_CORRUPT",
    ],
  ])("is named when it is %s, beside a quorum of good ones too", async (_, wrong, code) => {
    for (const good of [bring(dealt, 1, 2), bring(dealt, 1, 2, 4), bring(dealt, 1, 2, 4, 5)]) {
      await expect(failing([...good, wrong()])).rejects.toMatchObject({ code, path: "wrong" });
    }
    const { message } = await failing([...bring(dealt, 1, 2), wrong()]).catch((thrown) => thrown);
    expect(message).toContain('"wrong"');
    expect(message).not.toContain('"s2"');
    expect(message).not.toContain("tkshare1-");
  });

  test("is reported with every other one, each with its own code", () => {
    const { shares, findings } = checkShares(dealt.escrow, [...bring(dealt, 2), from(others.foreign), forged()]);
    expect(shares.map(({ index }) => index)).toEqual([2]);
    expect(findings.map(({ code }) => code)).toEqual(["CUSTODY_SHARE_FOREIGN", "CUSTODY_SHARE_FORGED"]);
  });
});
