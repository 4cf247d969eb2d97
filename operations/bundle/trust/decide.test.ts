import { describe, expect, it } from "vitest";
import { highTwin } from "../../../protocol/test-high-s.ts";
import { fingerprintOf } from "../../../stacks/host/trust/fingerprint.ts";
import { digestOf } from "../format/manifest.ts";
import { SLOT_BYTES } from "../format/slot.ts";
import { decideTrust, type TrustQuestion } from "./decide.ts";
import { addSignatures, type Envelope, unsigned } from "./envelope.ts";
import { type Root, rootOf, type SignedRoot, unsignedRoot } from "./root.ts";
import { parseSlot, renderSlot } from "./slot.ts";
import { renderStatement, STATEMENT_TYPE, type StatementFacts } from "./statement.ts";
import { head, MADE_AT, people, question, rootFacts, signedRoot } from "./test-trust.ts";

const { anna, bert, carl, eve, r1, r2, r3 } = await people("anna", "bert", "carl", "eve", "r1", "r2", "r3");
const FACTS = rootFacts({ anna, bert }, { r1, r2 }, { rootThreshold: 2, threshold: 2 });
const one = await signedRoot(FACTS, r1, r2);
const next = (changes: Partial<Root> = {}): Root => ({
  ...rootFacts({ anna, carl }, { r2, r3 }),
  ...FACTS_OF_TWO,
  ...changes,
});
const FACTS_OF_TWO = { version: 2, threshold: 2, rootThreshold: 2 } as const;
const two = await signedRoot(next(), r1, r2, r3);
const three = await signedRoot(next({ version: 3, threshold: 1 }), r2, r3);
const { manifest, manifestBytes, sums } = head();
const FULL: StatementFacts = {
  ...{ tenant: "acme", deployment: "plant", version: 7, rootVersion: 1 },
  ...{ created: "2026-03-01T12:00:00Z", warnAfter: "2027-03-01T12:00:00Z" },
};
type Key = typeof anna;
const stated = (
  by: readonly Key[],
  facts: Partial<StatementFacts> = {},
  of = { manifestBytes, sums },
): Promise<Envelope> =>
  addSignatures(unsigned(STATEMENT_TYPE, renderStatement({ ...FULL, ...facts }, of.manifestBytes, of.sums)), by);
const slotOf = async (by: readonly Key[], facts?: Partial<StatementFacts>, roots: readonly SignedRoot[] = [one]) =>
  renderSlot({ statement: await stated(by, facts), roots });
const decide = (slot: Uint8Array, changes: Partial<TrustQuestion> = {}) =>
  decideTrust(question({ ...head(), slot, siteRoot: one }, changes));
const code = (expected: string) => expect.objectContaining({ code: expected });
const good = await slotOf([anna, bert]);
const digest = digestOf(manifestBytes);
const seen = (version: number, of = digest) => ({ seen: { version, manifest: of, deployment: "plant" } });

describe("a bundle counts", () => {
  it("with as many signers as the root asks for", () => {
    const { signers, warnings, roots, threshold } = decide(good);
    expect(signers.map(({ name }) => name).toSorted()).toEqual(["anna", "bert"]);
    expect([warnings, roots, threshold]).toEqual([[], [], 2]);
  });
  it("again with the version and content that the site has, and where there is no site", () => {
    expect(decide(good, seen(7)).statement.predicate.version).toBe(7);
    expect(decide(good, { seen: undefined }).statement.predicate.version).toBe(7);
    // The very bundle that runs, after a way back.
    expect(decide(good, { ...seen(8), runs: { version: 7, manifest: digest } }).statement.predicate.version).toBe(7);
  });
  it("past its date and before it was made, with a warning", () => {
    const [late, early] = [new Date("2030-01-01T00:00:00Z"), new Date("2026-03-01T11:00:00Z")];
    expect(decide(good, { now: late }).warnings).toMatchObject([{ code: "BUNDLE_PAST_DATE" }]);
    expect(decide(good, { now: early }).warnings).toMatchObject([{ code: "BUNDLE_IN_FUTURE" }]);
  });
  it("by roots that follow the site's, whether or not it brings the older ones", async () => {
    const slot = await slotOf([anna, carl], { rootVersion: 3 }, [one, two, three]);
    expect(decide(slot).roots.map(({ root }) => root.version)).toEqual([2, 3]);
    expect(decide(slot, { siteRoot: three }).roots).toEqual([]);
    const later = await slotOf([carl], { rootVersion: 3 }, [two, three]);
    expect(decide(later).root.fingerprint).toBe(three.fingerprint);
  });
});

describe("a bundle is refused", () => {
  it.each<[string, string, () => Promise<Uint8Array> | Uint8Array, Partial<TrustQuestion>?]>([
    ["older than one that the site has had", "BUNDLE_ROLLBACK", () => good, seen(8)],
    [
      "older than one seen, as what runs, with other content",
      "BUNDLE_ROLLBACK",
      () => good,
      { ...seen(8), runs: { version: 7, manifest: digestOf(sums) } },
    ],
    [
      "older than one seen, with the content of what runs",
      "BUNDLE_ROLLBACK",
      () => good,
      { ...seen(8), runs: { version: 6, manifest: digest } },
    ],
    [
      "of the version seen, with other content, though that runs",
      "BUNDLE_EQUIVOCATION",
      () => good,
      { ...seen(7, digestOf(sums)), runs: { version: 7, manifest: digest } },
    ],
    ["of the version seen, with other content", "BUNDLE_EQUIVOCATION", () => good, seen(7, digestOf(sums))],
    ["with another manifest", "BUNDLE_MIXED", () => good, { manifestBytes: head("two").manifestBytes }],
    ["with other checksums", "BUNDLE_MIXED", () => good, { sums: head("two").sums }],
    ["whose manifest names another tenant", "BUNDLE_MIXED", () => good, { manifest: { ...manifest, tenant: "other" } }],
    ["whose manifest is of a delta", "BUNDLE_MIXED", () => good, { manifest: { ...manifest, base: digest } }],
    ["of another deployment than is asked for", "BUNDLE_OTHER_DEPLOYMENT", () => good, { deployment: "other" }],
    [
      "of another deployment than the site had",
      "BUNDLE_OTHER_DEPLOYMENT",
      () => good,
      { seen: { version: 1, deployment: "x", manifest: digest } },
    ],
    ["signed by one of two", "BUNDLE_BELOW_THRESHOLD", () => slotOf([anna])],
    ["signed by one twice", "BUNDLE_BELOW_THRESHOLD", () => slotOf([anna, anna])],
    ["signed by enough and somebody unknown", "BUNDLE_SIGNER_UNKNOWN", () => slotOf([anna, bert, eve])],
    ["signed by a root key", "BUNDLE_SIGNER_UNKNOWN", () => slotOf([anna, r1])],
    ["signed by nobody", "BUNDLE_UNSIGNED", () => slotOf([])],
    ["that is all spaces", "BUNDLE_UNSIGNED", () => Buffer.from(`${" ".repeat(SLOT_BYTES - 1)}\n`)],
    ["for another version of the root", "BUNDLE_ROOT_OLD", () => slotOf([anna, bert], { rootVersion: 2 })],
    ["under an older root than the site's", "BUNDLE_ROOT_OLD", () => good, { siteRoot: three }],
    [
      "by a signer who was rotated out",
      "BUNDLE_SIGNER_UNKNOWN",
      () => slotOf([anna, bert], { rootVersion: 2 }, [one, two]),
    ],
    ["with a root left out", "BUNDLE_ROOT_GAP", () => slotOf([anna, carl], { rootVersion: 3 }, [three])],
    ["with a gap between its roots", "BUNDLE_ROOT_GAP", () => slotOf([anna, carl], { rootVersion: 3 }, [one, three])],
    ["with its roots in another order", "BUNDLE_ROOT_GAP", () => slotOf([anna, carl], { rootVersion: 2 }, [two, one])],
  ])("%s: %s", async (_, expected, slot, changes) => {
    const bytes = await slot();
    expect(() => decide(bytes, changes)).toThrow(code(expected));
  });

  it("of another tenant, signed by the same people", async () => {
    const of = head("one", { tenant: "other" });
    const slot = renderSlot({ statement: await stated([anna, bert], { tenant: "other" }, of), roots: [one] });
    expect(() => decideTrust(question({ ...of, slot, siteRoot: one }))).toThrow(code("BUNDLE_OTHER_TENANT"));
  });

  it("of another tenant, signed by its own people under its own roots", async () => {
    const of = head("one", { tenant: "other" });
    const root = await signedRoot({ ...rootFacts({ eve }, { r3 }), tenant: "other" }, r3);
    const second = await signedRoot({ ...rootFacts({ eve, carl }, { r3 }), tenant: "other", version: 2 }, r3);
    const third = await signedRoot({ ...rootFacts({ eve }, { r3 }), tenant: "other", version: 3 }, r3);
    for (const roots of [[root], [root, second], [second, third], [third]]) {
      const rootVersion = roots.at(-1)?.root.version ?? 0;
      const slot = renderSlot({ statement: await stated([eve], { tenant: "other", rootVersion }, of), roots });
      for (const siteRoot of [one, two])
        expect(() => decideTrust(question({ ...of, slot, siteRoot }))).toThrow(
          expect.objectContaining({ code: "BUNDLE_OTHER_TENANT", message: expect.stringMatching(/"other".*"acme"/) }),
        );
    }
  });

  it("with two roots of one version", async () => {
    const fork = await signedRoot({ ...FACTS, created: "2026-03-01T11:30:00Z" }, r1, r2);
    const slot = await slotOf([anna, bert], {}, [fork]);
    expect(() => decide(slot)).toThrow(code("BUNDLE_ROOT_FORK"));
  });

  it.each<[string, string, () => Promise<SignedRoot>]>([
    ["too few of the old", "BUNDLE_ROOT_BELOW_THRESHOLD", () => signedRoot(next(), r2, r3)],
    ["too few of the new", "BUNDLE_ROOT_BELOW_THRESHOLD", () => signedRoot(next(), r1, r2)],
    ["nobody", "BUNDLE_ROOT_BELOW_THRESHOLD", async () => unsignedRoot(next())],
    ["somebody without a say", "BUNDLE_ROOT_BAD_SIGNATURE", () => signedRoot(next(), r1, r2, r3, eve)],
    ["a signer of bundles", "BUNDLE_ROOT_BAD_SIGNATURE", () => signedRoot(next(), r1, r2, r3, anna)],
    ["all, for another tenant", "BUNDLE_OTHER_TENANT", () => signedRoot(next({ tenant: "other" }), r1, r2, r3)],
  ])("whose new root is signed by %s: %s", async (_, expected, root) => {
    const slot = await slotOf([anna, carl], { rootVersion: 2 }, [one, await root()]);
    expect(() => decide(slot)).toThrow(code(expected));
  });

  it("whose root has, in a version that the site has already, a signature that does not hold", async () => {
    const [first, ...others] = one.envelope.signatures;
    const forged = {
      ...one,
      envelope: { ...one.envelope, signatures: [{ ...first, sig: others[0]?.sig ?? "" }, ...others] },
    };
    const slot = await slotOf([anna, bert], {}, [forged as SignedRoot]);
    expect(() => decide(slot)).toThrow(code("BUNDLE_ROOT_BAD_SIGNATURE"));
  });

  it("with the high s of a signature of a signer, or on a root", async () => {
    const slot = parseSlot(good);
    const twin = (envelope: Envelope): Envelope => {
      const signatures = envelope.signatures.map(({ keyid, sig }, index) => {
        return { keyid, sig: index > 0 ? sig : highTwin(Buffer.from(sig, "base64")).toString("base64") };
      });
      return { ...envelope, signatures };
    };
    const message = expect.stringContaining("with a high s");
    const [onBundle, onRoot] = [{ code: "BUNDLE_BAD_SIGNATURE" }, { code: "BUNDLE_ROOT_BAD_SIGNATURE" }];
    expect(() => decide(renderSlot({ ...slot, statement: twin(slot.statement) }))).toThrow(
      expect.objectContaining({ ...onBundle, message }),
    );
    const root = rootOf(twin(one.envelope), "root");
    expect(() => decide(renderSlot({ ...slot, roots: [root] }))).toThrow(
      expect.objectContaining({ ...onRoot, message }),
    );
  });

  it("whose oldest root has what nobody can read, where the site has that root", async () => {
    const given = (root: SignedRoot) => slotOf([anna, carl], { rootVersion: 3 }, [root, three]);
    // What r1 signed for root 1, which is not brought, the site has as well: then it is no other slot.
    expect(decide(await given(two), { siteRoot: two }).root.root.version).toBe(3);
    const without = rootOf(await addSignatures(unsignedRoot(next()).envelope, [r2, r3]), "root");
    expect(decide(await given(without), { siteRoot: two }).root.root.version).toBe(3);
    const bad = code("BUNDLE_ROOT_BAD_SIGNATURE");
    const junk = (keyid: string, sig: string): SignedRoot => {
      const signatures = [...without.envelope.signatures, { keyid, sig }].toSorted((a, b) =>
        a.keyid < b.keyid ? -1 : 1,
      );
      return { ...without, envelope: { ...without.envelope, signatures } };
    };
    const other = one.envelope.signatures.find(({ keyid }) => keyid === fingerprintOf(r1.publicKeySpki));
    for (const slot of [
      await given(await signedRoot(next(), r2, r3, eve)),
      await given(junk("f".repeat(64), "AAAA")),
      // The right name, and something else that it signed.
      await given(junk(other?.keyid ?? "", other?.sig ?? "")),
    ]) {
      expect(() => decide(slot, { siteRoot: two })).toThrow(bad);
    }
  });

  it("with a keyid that lies, or a signature of another bundle", async () => {
    const [a, b] = [await stated([anna, bert]), await stated([anna, bert], { version: 8 })];
    const swapped = [a.signatures[0], a.signatures[1]].map((each, i, all) => ({
      keyid: each?.keyid ?? "",
      sig: all[1 - i]?.sig ?? "",
    }));
    const lies = renderSlot({ statement: { ...a, signatures: swapped }, roots: [one] });
    expect(() => decide(lies)).toThrow(code("BUNDLE_BAD_SIGNATURE"));
    const moved = renderSlot({ statement: { ...a, signatures: b.signatures }, roots: [one] });
    expect(() => decide(moved)).toThrow(code("BUNDLE_BAD_SIGNATURE"));
  });
});

describe("a slot has one form", () => {
  const text = good.toString().trimEnd();
  const padded = (json: string) => Buffer.from(`${json.padEnd(SLOT_BYTES - 1)}\n`);
  const edited = (change: (slot: { statement: { signatures: { keyid: string }[] }; roots: unknown[] }) => void) => {
    const slot = JSON.parse(text);
    change(slot);
    return padded(JSON.stringify(slot));
  };
  it.each<[string, Uint8Array]>([
    ["shorter", good.subarray(1)],
    ["longer", Buffer.concat([good, Buffer.from("\n")])],
    ["huge", Buffer.alloc(8 * SLOT_BYTES, " ")],
    ["empty", Buffer.alloc(0)],
    ["without a newline", Buffer.from(text.padEnd(SLOT_BYTES))],
    ["with a space before", padded(` ${text}`)],
    ["with a member twice", padded(text.replace("{", '{"schema":"x",'))],
    ["with a member more", edited((slot) => Object.assign(slot, { x: 1 }))],
    ["with a key twice", edited(({ statement: { signatures } }) => signatures.push(signatures[1] ?? { keyid: "" }))],
    ["with signatures in another order", edited(({ statement: { signatures } }) => signatures.reverse())],
    [
      "with a signature that is longer than any",
      edited(({ statement: { signatures } }) =>
        signatures.push({ keyid: "f".repeat(64), sig: "A".repeat(100) } as { keyid: string }),
      ),
    ],
    [
      "with too many signatures",
      edited(({ statement: { signatures } }) =>
        signatures.push(...Array.from({ length: 15 }, (_, i) => ({ keyid: `${i}`.padStart(64, "f"), sig: "AAAA" }))),
      ),
    ],
    ["without roots", edited((slot) => Object.assign(slot, { roots: [] }))],
    ["with a statement in place of a root", edited((slot) => Object.assign(slot, { roots: [slot.statement] }))],
  ])("and is refused %s", (_, slot) => {
    expect(() => decide(slot)).toThrow(expect.objectContaining({ code: expect.stringMatching(/MALFORMED$/) }));
  });

  it("drops the oldest roots where there is no room, and a site that is too far behind is told", async () => {
    const chain = [one];
    for (let version = 2; version <= 45; version += 1) chain.push(await signedRoot({ ...FACTS, version }, r1, r2));
    const slot = await slotOf([anna, bert], { rootVersion: 45 }, chain);
    expect(slot).toHaveLength(SLOT_BYTES);
    expect(() => decide(slot)).toThrow(code("BUNDLE_ROOT_GAP"));
    expect(decide(slot, { siteRoot: chain[43] as SignedRoot }).root.root.version).toBe(45);
  });

  it("and any flipped bit of it is refused", () => {
    const end = text.length;
    for (let at = 0; at < end; at += 41) {
      const flipped = Buffer.from(good);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 7));
      expect(() => decide(flipped, { now: MADE_AT }), `at ${at}`).toThrow();
    }
  });
});
