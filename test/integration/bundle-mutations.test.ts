import { copyFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeFolders, testFolder } from "../../operations/bundle/format/test-bundle.ts";
import { mutate, OPERATOR_COUNT } from "../support/bundle-mutations/campaign.ts";
import { manifestIn } from "../support/bundle-mutations/forgeries.ts";
import { resigned, signedAnew } from "../support/bundle-mutations/resigned.ts";
import { boundaries, mutationSubject, type Subject } from "../support/bundle-mutations/subject.ts";

let subject: Subject;
beforeAll(async () => {
  subject = await mutationSubject();
});
afterAll(removeFolders);

test("the bundle that is mutated is taken, from memory and from a disk", async () => {
  const file = join(testFolder(), "site.tkb");
  writeFileSync(file, subject.good);
  expect(await subject.refusal(subject.good)).toBeUndefined();
  expect(await subject.refusalOfFile(file)).toBeUndefined();
});

test("10,000 mutants of a bundle are refused, each operator's among them", async () => {
  const { tried, taken, refusedBy } = await mutate(subject, 10_000);
  expect(taken).toEqual([]);
  expect([tried, refusedBy.size]).toEqual([10_000, OPERATOR_COUNT]);
});

test("manifests that break a rule are refused although the site's own signer has signed them", async () => {
  const material = { good: subject.good, others: [], boundaries: await boundaries(subject.good) };
  const { toolkit, ...rest } = manifestIn(material);
  const newer = { ...rest, toolkit: { ...toolkit, version: "0.2.0" } };
  expect(await subject.refusalUnpacked(await signedAnew(material, newer, subject.slotFor))).toBeUndefined();
  const operators = resigned(subject);
  const signed = { ...subject, refusal: subject.refusalUnpacked };
  const { tried, taken, refusedBy } = await mutate(signed, 400, 1, undefined, operators);
  expect(taken).toEqual([]);
  expect([tried, refusedBy.size]).toEqual([400, operators.length]);
});

test("a campaign sees a mutant that is taken", async () => {
  const blind = { ...subject, refusal: async () => undefined };
  const { taken, refusedBy } = await mutate(blind, 100);
  expect([taken.length, refusedBy.size]).toEqual([100, 0]);
});

test("parts of two bundles, parts in another order and a part that is missing are refused", async () => {
  const [old = Buffer.alloc(0)] = subject.others;
  // Behind the head, within the segments.
  const at = subject.good.length - 3072;
  const cut = (bytes: Buffer): readonly [Buffer, Buffer] => [bytes.subarray(0, at), bytes.subarray(at)];
  const [one, two] = cut(subject.good);
  const [oldOne, oldTwo] = cut(old);
  const refused = async (...parts: readonly Buffer[]): Promise<string | undefined> => {
    const base = join(testFolder(), "site.tkb");
    for (const [index, part] of parts.entries()) writeFileSync(`${base}.00${index + 1}`, part);
    return subject.refusalOfFile(base);
  };
  expect(await refused(one, two)).toBeUndefined();
  expect(await refused(one, oldTwo)).toMatch(/^BUNDLE_(DAMAGED|MALFORMED|TRUNCATED)$/);
  expect(await refused(oldOne, two)).toBe("BUNDLE_ROLLBACK");
  expect(await refused(two, one)).toBe("BUNDLE_MALFORMED");
  expect(await refused(one)).toBe("BUNDLE_PART_MISSING");
  expect(await refused(one, two, two)).toMatch(/^BUNDLE_(TRUNCATED|MALFORMED)$/);
  expect(await refused(one, one)).toMatch(/^BUNDLE_(DAMAGED|MALFORMED|TRUNCATED)$/);
});

test("a bundle that ends anywhere too early is refused from a disk", async () => {
  const folder = testFolder();
  const whole = join(folder, "whole");
  writeFileSync(whole, subject.good);
  for (let size = 0; size < subject.good.length; size += 1531) {
    const file = join(folder, "site.tkb");
    copyFileSync(whole, file);
    truncateSync(file, size);
    expect(await subject.refusalOfFile(file)).toMatch(/^BUNDLE_(TRUNCATED|MALFORMED)$/);
  }
});
