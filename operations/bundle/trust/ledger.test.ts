import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { addSignatures, unsigned } from "./envelope.ts";
import { appendLedger, ledgerFiles, readLedger } from "./ledger.ts";
import { planSigning, type SigningJob, signBundle } from "./sign-bundle.ts";
import { parseSlot } from "./slot.ts";
import { renderStatement, STATEMENT_TYPE } from "./statement.ts";
import { head, MADE_AT, people, rootFacts, scratch, signedRoot } from "./test-trust.ts";

const { anna, bert, eve, root } = await people("anna", "bert", "eve", "root");
const first = await signedRoot(rootFacts({ anna, bert }, { root }, { threshold: 2 }), root);
const second = await signedRoot(rootFacts({ anna, bert }, { root }, { version: 2 }), root);
const jobIn = (folder: string, mark = "one", changes: Partial<SigningJob> = {}): SigningJob => ({
  ...{ ...head(mark), roots: [first], folder, now: MADE_AT, ...changes },
});
const corrupt = expect.objectContaining({ code: "BUNDLE_LEDGER_CORRUPT" });
const later = new Date(MADE_AT.getTime() + 86_400_000);

async function filled(folder: string) {
  for (const mark of ["one", "two", "three"]) await signBundle(jobIn(folder, mark), [anna]);
  return ledgerFiles(folder);
}

describe("what is signed", () => {
  it("is the same bytes for the same manifest, whenever, and the next version for another", async () => {
    using place = scratch();
    const one = await signBundle(jobIn(place.folder), [anna]);
    const again = await signBundle(jobIn(place.folder, "one", { now: later }), [anna]);
    expect(again.slot).toEqual(one.slot);
    expect((await signBundle(jobIn(place.folder, "one", { now: later }), [])).slot).toEqual(one.slot);
    expect((await signBundle(jobIn(place.folder, "two"), [anna])).statement.predicate.version).toBe(2);
    expect((await signBundle(jobIn(place.folder), [anna])).statement.predicate.version).toBe(3);
  });

  it("stays the same after a delta in between, which has a version of its own", async () => {
    using place = scratch();
    const full = await signBundle(jobIn(place.folder), [anna]);
    const delta = head("delta", { base: `sha256:${"a".repeat(64)}` });
    const { statement } = await signBundle({ ...jobIn(place.folder), ...delta }, [anna]);
    expect(statement.predicate).toMatchObject({ version: 2, base: delta.manifest.base });
    expect((await signBundle(jobIn(place.folder), [anna])).slot).toEqual(full.slot);
  });

  it("gets a second signature with a ledger of its own, and stays the same content", async () => {
    using place = scratch();
    const one = await signBundle(jobIn(place.in("a")), [anna]);
    const existing = parseSlot(one.slot).statement;
    const two = await signBundle(jobIn(place.in("b"), "one", { existing }), [bert]);
    expect(two.statement).toEqual(one.statement);
    expect(two.signers).toHaveLength(2);
    const kept = await signBundle(jobIn(place.in("a"), "one", { existing: parseSlot(two.slot).statement }), []);
    expect(kept.slot).toEqual(two.slot);
    expect((await signBundle(jobIn(place.in("a")), [anna])).slot).toEqual(two.slot);
  });

  it("is a new version under a new root, and with --dry-run nothing", async () => {
    using place = scratch();
    await signBundle(jobIn(place.folder), [anna]);
    const job = jobIn(place.folder, "one", { roots: [first, second] });
    expect(planSigning(job)).toMatchObject({ reused: false, statement: { predicate: { version: 2, rootVersion: 2 } } });
    expect(readLedger(place.folder).entries).toHaveLength(1);
  });

  it("is nothing by a key that is no signer, by nobody, or for another tenant", async () => {
    using place = scratch();
    const unknown = { code: "BUNDLE_SIGNER_UNKNOWN" };
    await expect(signBundle(jobIn(place.folder), [eve])).rejects.toMatchObject(unknown);
    await expect(signBundle(jobIn(place.folder), [])).rejects.toMatchObject({ code: "BUNDLE_UNSIGNED" });
    const other = { ...jobIn(place.folder), ...head("one", { tenant: "other" }) };
    await expect(signBundle(other, [anna])).rejects.toMatchObject({ code: "BUNDLE_OTHER_TENANT" });
    const noRoot = jobIn(place.folder, "one", { roots: [] });
    await expect(signBundle(noRoot, [anna])).rejects.toMatchObject({ code: "BUNDLE_ROOT_MISSING" });
    expect(readLedger(place.folder).entries).toEqual([]);
  });

  it("is never one version with two contents, nor older than what this ledger has", async () => {
    using place = scratch();
    const foreign = parseSlot((await signBundle(jobIn(place.in("b"), "two"), [bert])).slot).statement;
    await signBundle(jobIn(place.in("a")), [anna]);
    const job = jobIn(place.in("a"), "two", { existing: foreign });
    await expect(signBundle(job, [anna])).rejects.toMatchObject({ code: "BUNDLE_VERSION_TAKEN" });
    const { entries, lines } = readLedger(place.in("a"));
    expect(() => appendLedger(place.in("a"), { entries, lines }, foreign)).toThrow(corrupt);
  });

  it("takes no signature that does not hold over into the ledger", async () => {
    using place = scratch();
    const { manifestBytes, sums } = head();
    const facts = {
      ...{ tenant: "acme", deployment: "plant", version: 1, rootVersion: 1 },
      ...{ created: "2026-03-01T12:00:00Z", warnAfter: "2027-03-01T12:00:00Z" },
    };
    const bare = unsigned(STATEMENT_TYPE, renderStatement(facts, manifestBytes, sums));
    const forged = { ...bare, signatures: (await addSignatures({ ...bare, payload: "e30=" }, [bert])).signatures };
    const job = jobIn(place.folder, "one", { existing: forged });
    await expect(signBundle(job, [anna])).rejects.toMatchObject({ code: "BUNDLE_BAD_SIGNATURE" });
  });

  it("has versions of their own where several sign at once", async () => {
    using place = scratch();
    const marks = ["a", "b", "c", "d", "e"];
    const all = await Promise.all(marks.map((mark) => signBundle(jobIn(place.folder, mark), [anna])));
    const versions = all.map(({ statement }) => statement.predicate.version);
    expect(versions.toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(readLedger(place.folder).entries).toHaveLength(5);
  });
});

describe("a ledger", () => {
  it.each<[string, (files: ReturnType<typeof ledgerFiles>) => void]>([
    ["edited", ({ ledger }) => writeFileSync(ledger, readFileSync(ledger, "utf8").replace('"keyid":"', '"keyid":"0'))],
    ["cut within a line", ({ ledger }) => writeFileSync(ledger, readFileSync(ledger).subarray(0, -9))],
    [
      "without its last line",
      ({ ledger }) => writeFileSync(ledger, `${readFileSync(ledger, "utf8").split("\n").slice(0, 2).join("\n")}\n`),
    ],
    [
      "without its first line",
      ({ ledger }) => writeFileSync(ledger, readFileSync(ledger, "utf8").split("\n").slice(1).join("\n")),
    ],
    ["with a line twice", ({ ledger }) => appendFileSync(ledger, `${readFileSync(ledger, "utf8").split("\n")[2]}\n`)],
    ["that is gone", ({ ledger }) => rmSync(ledger)],
    ["that is empty", ({ ledger }) => writeFileSync(ledger, "")],
    ["without its head", ({ head: path }) => rmSync(path)],
    [
      "with an edited head",
      ({ head: path }) => writeFileSync(path, readFileSync(path, "utf8").replace('"lines":3', '"lines":2')),
    ],
  ])("%s signs nothing any more", async (_, harm) => {
    using place = scratch();
    harm(await filled(place.folder));
    expect(() => readLedger(place.folder)).toThrow(corrupt);
    await expect(signBundle(jobIn(place.folder, "four"), [anna])).rejects.toThrow(corrupt);
  });

  it("goes on where it was killed between its two files, or before the rename", async () => {
    using place = scratch();
    const files = await filled(place.folder);
    copyFileSync(files.head, place.in("head"));
    await signBundle(jobIn(place.folder, "four"), [anna]);
    copyFileSync(place.in("head"), files.head);
    writeFileSync(`${files.ledger}.tmp`, "half a li");
    expect((await signBundle(jobIn(place.folder, "four"), [anna])).statement.predicate.version).toBe(4);
    expect((await signBundle(jobIn(place.folder, "five"), [anna])).statement.predicate.version).toBe(5);
    expect(existsSync(`${files.ledger}.tmp`)).toBe(false);
  });

  it("gives no signature out that it could not write", async () => {
    using place = scratch();
    const { ledger } = await filled(place.folder);
    const before = readFileSync(ledger);
    // A folder in the place of the file that is written beside it: fails as a full disk does, also for root.
    mkdirSync(`${ledger}.tmp`);
    await expect(signBundle(jobIn(place.folder, "four"), [anna])).rejects.toThrow();
    expect(readFileSync(ledger)).toEqual(before);
  });
});
