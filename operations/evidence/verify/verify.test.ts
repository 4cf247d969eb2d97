import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { derSignature } from "../../../certs/signers/der-signature.ts";
import { createMemorySigner } from "../../../certs/signers/index.ts";
import { dsseSign, preAuthenticationEncoding, renderDsse } from "../../../protocol/dsse.ts";
import { toLowS } from "../../../protocol/low-s.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { PAYLOAD_TYPE, type Statement } from "../schema/statement.ts";
import { SIGNED_AT, type TestEvidence, TOOLKIT, testEvidence, testFacts, testVerification } from "../test-evidence.ts";
import { openEvidence } from "./open.ts";
import { type EvidenceCheck, verifyEvidence } from "./verify.ts";

let good: TestEvidence;
beforeAll(async () => {
  good = await testEvidence();
});

const check = (changes: Partial<EvidenceCheck> = {}) =>
  verifyEvidence({
    file: good.file,
    key: good.key,
    at: SIGNED_AT,
    toolkit: TOOLKIT,
    pageOf: () => undefined,
    ...changes,
  });
const codes = (changes: Partial<EvidenceCheck> = {}) => [...new Set(check(changes).findings.map(({ code }) => code))];
const open = (file: string | Uint8Array) => () => openEvidence(Buffer.from(file), good.key);
const MALFORMED = expect.objectContaining({ code: "EVIDENCE_MALFORMED", exit: 2 });
const FORGED = expect.objectContaining({ code: "EVIDENCE_BAD_SIGNATURE", exit: 3 });

/** Signs any bytes as evidence with the good key. */
async function seal(payload: Buffer, type: string = PAYLOAD_TYPE): Promise<Buffer> {
  const bytes = new Uint8Array(preAuthenticationEncoding(type, payload));
  const plain = await good.signer.crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, good.signer.signingKey, bytes);
  const { keyid } = JSON.parse(good.file.toString()).signatures[0];
  return Buffer.from(`${renderDsse(type, payload, { keyid, sig: derSignature(toLowS(new Uint8Array(plain))) })}\n`);
}

/** A statement that was changed and then signed with the good key. */
async function resigned(change: (statement: Statement) => void): Promise<{ file: Buffer }> {
  const statement = structuredClone(good.statement);
  change(statement);
  return { file: await seal(Buffer.from(stableJson(statement))) };
}

describe("evidence that nobody touched", () => {
  it("opens to what was signed, without a finding", () => {
    const { statement, findings } = check();
    expect(statement.predicate).toMatchObject({ verdict: "proven", verification: { deployment: "demo" } });
    expect(findings).toEqual([]);
  });

  it("has images, stack and pages as subjects", () => {
    expect(good.statement.subject.map(({ name }) => name)).toEqual([
      ...[
        "backend",
        "collector",
        "custody",
        "custody-broker",
        "database",
        "gateway",
        "loki",
        "prometheus",
        "schema",
      ].map((name) => `trustkern/${name}:0.1.0`),
      "trustkern/shipper:0.1.0",
      "trustkern/step-ca:0.1.0",
      "eclipse-mosquitto:2",
      "cdk.tf.json",
      "evidence.html",
      "evidence.md",
    ]);
  });

  it("knows its pages, where they are beside it", () => {
    const pages: Record<string, string> = { "evidence.html": good.evidence.page, "evidence.md": good.evidence.summary };
    const report = check({ pageOf: (name) => Buffer.from(pages[name] ?? "") });
    expect(report.pages.map(({ state }) => state)).toEqual(["as-signed", "as-signed"]);
    expect(report.findings).toEqual([]);
  });
});

describe("an edited file is refused", () => {
  it("whichever byte was changed, to whatever", () => {
    fc.assert(
      fc.property(fc.nat(good.file.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const edited = Buffer.from(good.file);
        edited[at] = (edited[at] ?? 0) ^ difference;
        expect(open(edited)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^EVIDENCE_(MALFORMED|BAD_SIGNATURE)$/) }),
        );
      }),
      { numRuns: 400 },
    );
  });

  it("at every byte of what is outside of the payload, and every 97th of the payload", () => {
    const text = good.file.toString();
    const [from, to] = [text.indexOf('"payload":"') + 11, text.indexOf('","payloadType"')];
    for (let at = 0; at < good.file.length; at += at > from && at < to - 97 ? 97 : 1) {
      const edited = Buffer.from(good.file);
      edited[at] = edited[at] === 0x41 ? 0x42 : 0x41;
      if (edited.equals(good.file)) continue;
      expect(open(edited), `byte ${at}`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^EVIDENCE_/) }),
      );
    }
  });

  it("wherever a byte was put in, taken out, or the rest cut off", () => {
    fc.assert(
      fc.property(
        fc.nat(good.file.length - 1),
        fc.constantFrom("insert", "remove", "cut"),
        fc.integer({ min: 0, max: 255 }),
        (at, how, byte) => {
          const [before, after] = [good.file.subarray(0, at), good.file.subarray(at)];
          const edited =
            how === "insert"
              ? Buffer.concat([before, Buffer.from([byte]), after])
              : how === "remove"
                ? Buffer.concat([before, after.subarray(1)])
                : before;
          expect(open(edited)).toThrow(
            expect.objectContaining({ code: expect.stringMatching(/^EVIDENCE_(MALFORMED|BAD_SIGNATURE)$/) }),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it("every field of the statement, changed within the signed payload", () => {
    const envelope = JSON.parse(good.file.toString());
    for (const edited of editsOf(good.statement)) {
      const payload = Buffer.from(stableJson(edited)).toString("base64");
      expect(open(`${JSON.stringify({ ...envelope, payload })}\n`)).toThrow(FORGED);
    }
  });

  it.each([
    ["a member twice", (text: string) => text.replace('"payload":', '"payloadType":"x","payload":')],
    [
      "another order",
      (text: string) => {
        const { payload, ...rest } = JSON.parse(text);
        return `${JSON.stringify({ ...rest, payload })}\n`;
      },
    ],
    ["a space", (text: string) => text.replace(":", ": ")],
    ["no line feed", (text: string) => text.trimEnd()],
    ["a member more", (text: string) => `${JSON.stringify({ ...JSON.parse(text), more: 1 })}\n`],
    [
      "a second signature",
      (text: string) => {
        const all = JSON.parse(text);
        return `${JSON.stringify({ ...all, signatures: [...all.signatures, ...all.signatures] })}\n`;
      },
    ],
    ["no signature", (text: string) => `${JSON.stringify({ ...JSON.parse(text), signatures: [] })}\n`],
    [
      "no signatures",
      (text: string) => {
        const { signatures: _, ...rest } = JSON.parse(text);
        return `${JSON.stringify(rest)}\n`;
      },
    ],
    [
      "a payload in lines of 76, as MIME has it",
      (text: string) => {
        const all = JSON.parse(text);
        return `${JSON.stringify({ ...all, payload: all.payload.replace(/.{76}/g, "$&\n") })}\n`;
      },
    ],
    [
      "another payload type",
      (text: string) => text.replace(PAYLOAD_TYPE, "application/vnd.trustkern.start-manifest+json"),
    ],
    ["nothing", () => ""],
    ["something else", () => "# Evidence\n"],
    ["an array", () => "[]\n"],
    ["null", () => "null\n"],
    ["the statement alone", () => `${stableJson(good.statement)}\n`],
  ])("with %s", (_, edit) => {
    expect(open(edit(good.file.toString()))).toThrow(MALFORMED);
  });

  it("with bytes that are no UTF-8", () => {
    expect(open(Buffer.concat([Buffer.from([0xff]), good.file]))).toThrow(MALFORMED);
  });

  it("that is larger than any evidence", () => {
    expect(open(Buffer.alloc(16 * 1024 * 1024 + 1, 0x20))).toThrow(MALFORMED);
  });
});

describe("another key is refused", () => {
  it("than the one that is trusted, also where the file names that one", async () => {
    const { signer } = await createMemorySigner("P-256", "other");
    const other = await testEvidence({ signer });
    expect(open(other.file)).toThrow(FORGED);
    const keyid = JSON.parse(good.file.toString()).signatures[0].keyid as string;
    expect(open(other.file.toString().replace(/"keyid":"[0-9a-f]+"/, `"keyid":"${keyid}"`))).toThrow(FORGED);
    const key = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
    expect(() => openEvidence(good.file, key)).toThrow(FORGED);
  });

  it("with a signature r || s, as start manifests have it", async () => {
    const payload = Buffer.from(JSON.parse(good.file.toString()).payload, "base64");
    const { keyid } = JSON.parse(good.file.toString()).signatures[0];
    const plain = JSON.parse(
      await dsseSign(PAYLOAD_TYPE, payload, async (data) => {
        return new Uint8Array(
          await good.signer.crypto.subtle.sign(
            { name: "ECDSA", hash: "SHA-256" },
            good.signer.signingKey,
            new Uint8Array(data),
          ),
        );
      }),
    );
    const sig = Buffer.from(plain.signatures[0].sig, "base64");
    expect(open(`${renderDsse(PAYLOAD_TYPE, payload, { keyid, sig })}\n`)).toThrow(FORGED);
  });

  it("never says what an edited file has in the place of a fingerprint", () => {
    const edited = good.file.toString().replace(/"keyid":"[0-9a-f]+"/, '"keyid":"<script>"');
    expect(() => openEvidence(Buffer.from(edited), good.key)).toThrow(/^(?!.*script)/);
  });
});

const LONG_AGO = "2026-03-01T11:04:59.999Z";
const resultOf = (s: Statement, id: string) => s.predicate.verification.results.find((one) => one.id === id)!;
const lineOf = (s: Statement, path: string) => s.predicate.facts.profileLines.find((line) => line.path === path)!;
function each(s: Statement, change: Partial<Statement["predicate"]["verification"]["results"][number]>): void {
  for (const result of s.predicate.verification.results) Object.assign(result, change);
  s.predicate.verdict = "proven";
}
function withoutImage(s: Statement, name: string): void {
  const image = s.predicate.facts.images.find((one) => one.name === name)!;
  s.predicate.facts.images = s.predicate.facts.images.filter((one) => one !== image);
  s.subject = s.subject.filter((one) => one.name !== image.reference);
}
function withoutDigest(s: Statement, name: string): void {
  const image = s.predicate.facts.images.find((one) => one.name === name)!;
  image.digest = null;
  s.subject = s.subject.filter((one) => one.name !== image.reference);
}

describe("what the right key signed is refused all the same", () => {
  it.each([
    ["text that is no JSON", "{"],
    ["a statement of another type", stableJson({ _type: "https://in-toto.io/Statement/v0.1" })],
    ["JSON that is not canonical", JSON.stringify({ predicate: {}, _type: "" })],
  ])("as malformed: %s", async (_, text) => {
    expect(open(await seal(Buffer.from(text)))).toThrow(MALFORMED);
  });

  it("as malformed: a statement with a member twice, or with spaces", async () => {
    const text = stableJson(good.statement);
    expect(open(await seal(Buffer.from(text.replace('"_type"', '"_type":"x","_type"'))))).toThrow(MALFORMED);
    expect(open(await seal(Buffer.from(stableJson(good.statement, 1))))).toThrow(MALFORMED);
  });

  it.each<[string, (statement: Statement) => void]>([
    ["an unknown member", (s) => Object.assign(s.predicate, { note: "x" })],
    ["an unknown check", (s) => Object.assign(s.predicate.verification.results[0]!, { id: "running.moon" })],
    ["a text of two lines", (s) => (s.predicate.verification.results[0]!.seen = "one\ntwo")],
    ["what looks like a key", (s) => (s.predicate.facts.hosting.account = "-----BEGIN PRIVATE KEY-----")],
    ["a page outside of the folder", (s) => (s.predicate.pages[0] = "../evidence.html")],
    ["a month that there is none of", (s) => (s.predicate.verification.startedAt = "0000-99-99T00:00:00.000Z")],
    ["a day that there is none of", (s) => (s.predicate.verification.startedAt = "2026-02-30T00:00:00.000Z")],
    ["a digest that is none", (s) => (s.subject[0]!.digest.sha256 = "00")],
  ])("as malformed: %s", async (_, change) => {
    expect(open((await resigned(change)).file)).toThrow(MALFORMED);
  });

  it.each<[string, (statement: Statement) => void]>([
    ["a verdict that does not follow", (s) => (s.predicate.verdict = "not-proven")],
    ["a result left out", (s) => s.predicate.verification.results.pop()],
    ["a result twice", (s) => s.predicate.verification.results.push(s.predicate.verification.results[0]!)],
    ["a layer left out, and proven", (s) => s.predicate.verification.layers.pop()],
    [
      "a broken check without a finding",
      (s) => {
        s.predicate.verification.results[0]!.outcome = "broken";
        s.predicate.verdict = "broken";
      },
    ],
    [
      "a proven check with a finding",
      (s) => s.predicate.verification.results[0]!.findings.push({ code: "X_Y", path: "a", message: "b", fix: "c" }),
    ],
    ["another profile", (s) => (s.predicate.verification.profile = "air-gapped")],
    ["no profile that is known", (s) => (s.predicate.verification.profile = "lax")],
    ["a line left out", (s) => s.predicate.facts.profileLines.shift()],
    ["a line that accepts more", (s) => (s.predicate.facts.profileLines[0]!.accepted = "anything")],
    ["a line that is not kept, and the profile proven", (s) => (s.predicate.facts.profileLines[0]!.kept = false)],
    ["an image's digest", (s) => (s.predicate.facts.images[0]!.digest = `sha256:${"0".repeat(64)}`)],
    ["a subject left out", (s) => s.subject.shift()],
    ["a subject more", (s) => s.subject.push({ name: "other", digest: { sha256: "0".repeat(64) } })],
    ["a subject twice", (s) => s.subject.push(s.subject[0]!)],
    ["the stack's digest", (s) => (s.predicate.facts.stack = "0".repeat(64))],
    ["a page without a subject", (s) => s.predicate.pages.push("more.html")],
    ["an end before the start", (s) => (s.predicate.verification.endedAt = "2026-03-01T11:00:00.000Z")],
    [
      "an end that is long over",
      (s) => Object.assign(s.predicate.verification, { startedAt: LONG_AGO, endedAt: LONG_AGO }),
    ],
    ["every check not asked for", (s) => each(s, { outcome: "not-required" })],
    ["every check reported", (s) => each(s, { outcome: "not-proven", reportOnly: true })],
    ["one reported that is proven", (s) => (resultOf(s, "running.encryption").reportOnly = true)],
    ["egress not asked for, and isolated", (s) => (s.predicate.facts.egress.mode = "isolated")],
    ["egress proven, and open", (s) => (resultOf(s, "running.egress").outcome = "proven")],
    ["another engine", (s) => (s.predicate.verification.engine = "embedded")],
    ["custody sealed", (s) => (s.predicate.facts.keys.sealed = true)],
    ["custody of no class", (s) => (s.predicate.facts.keys.custodyClass = null)],
    ["custody of a lower class", (s) => (s.predicate.facts.keys.leastClass = "hardware")],
    ["custody without an answer, which nothing says", (s) => (s.predicate.facts.keys.sealed = null)],
    ["an operator that no line names", (s) => (s.predicate.facts.hosting.operator = "partner")],
    ["a region that no line names", (s) => (s.predicate.facts.hosting.region = "us-east-1")],
    ["a line with another value", (s) => (lineOf(s, "hosting.region").value = "us-east-1")],
    ["a line with a value that breaks it", (s) => (lineOf(s, "simulator.sensors").value = "100000")],
    ["a line that is silent of what is asked for", (s) => (lineOf(s, "engine").value = "nothing is said")],
    ["a line that is said not to apply", (s) => (lineOf(s, "engine").value = "does not apply: x is y")],
    ["a line of a list that is none", (s) => (lineOf(s, "engine").value = "none is listed")],
    ["a line more", (s) => s.predicate.facts.profileLines.push({ ...lineOf(s, "engine"), path: "engines" })],
    ["an image without a digest", (s) => withoutDigest(s, "broker")],
    ["no image of a component", (s) => withoutImage(s, "custody")],
    ["another signer", (s) => (s.predicate.signer.fingerprint = "0".repeat(64))],
  ])("as inconsistent: %s", async (_, change) => {
    expect(codes(await resigned(change))).toEqual(["EVIDENCE_INCONSISTENT"]);
  });

  it.each([
    ["custody", "custody-tpm2"],
    ["step-ca", "step-ca-pkcs11"],
  ])("but not that %s is %s, where keys are on a device", async (name, other) => {
    const renamed = await resigned((s) => {
      s.predicate.facts.images.find((one) => one.name === name)!.name = other;
    });
    expect(codes(renamed)).toEqual([]);
  });

  it("a page that was edited", () => {
    expect(codes({ pageOf: () => Buffer.from(good.evidence.page.replace("Proven", "proven")) })).toEqual([
      "EVIDENCE_PAGE_CHANGED",
    ]);
  });

  it("of tomorrow, of too long ago, and of another version", () => {
    const at = (days: number) => new Date(SIGNED_AT.getTime() + days * 86_400_000);
    expect(codes({ at: at(-1) })).toEqual(["EVIDENCE_IN_FUTURE"]);
    expect(codes({ at: at(31), maxAgeSeconds: 30 * 86_400 })).toEqual(["EVIDENCE_TOO_OLD"]);
    expect(codes({ at: at(29), maxAgeSeconds: 30 * 86_400 })).toEqual([]);
    expect(codes({ at: at(3_000) })).toEqual([]);
    expect(codes({ toolkit: "0.2.0" })).toEqual(["EVIDENCE_OTHER_VERSION"]);
  });

  it("of an age that counts from what was seen, and is told in units that say something", () => {
    // Signed five minutes after the first look.
    expect(codes({ maxAgeSeconds: 299 })).toEqual(["EVIDENCE_TOO_OLD"]);
    expect(check({ maxAgeSeconds: 299 }).findings[0]?.message).toContain(", 5 minutes ago,");
    expect(codes({ maxAgeSeconds: 300 })).toEqual([]);
  });

  it("of another deployment or tenant than was asked for", () => {
    expect(codes({ of: { deployment: "demo", tenant: "demo" } })).toEqual([]);
    expect(codes({ of: { deployment: "demo2" } })).toEqual(["EVIDENCE_OTHER_DEPLOYMENT"]);
    expect(codes({ of: { tenant: "acme" } })).toEqual(["EVIDENCE_OTHER_DEPLOYMENT"]);
  });
});

describe("evidence of what failed", () => {
  const broken = {
    outcome: "broken",
    findings: [{ code: "X_Y", path: "containers.broker", message: "is wrong", fix: "mend it" }],
  } as const;

  it("is written, and says so in its first line", async () => {
    const { statement, evidence } = await testEvidence({
      verification: testVerification({ "running.refused": broken }),
    });
    expect(statement.predicate.verdict).toBe("broken");
    expect(evidence.summary).toMatch(/^# BROKEN: the boundary of demo, tenant demo\n/);
    expect(evidence.page).toContain('<h1 class="broken">BROKEN: the boundary of demo, tenant demo</h1>');
  });

  it("is not proven where a layer was left out", async () => {
    const all = testVerification();
    const model = {
      ...all,
      layers: ["model"] as const,
      results: all.results.filter(({ id }) => id.startsWith("model.")),
    };
    const { statement, evidence, file, key } = await testEvidence({ verification: model });
    expect(statement.predicate.verdict).toBe("not-proven");
    expect(evidence.summary).toMatch(/^# NOT PROVEN/);
    expect(codes({ file, key })).toEqual([]);
  });

  it("makes one line of what has several, and leaves out what looks like a secret", async () => {
    const seen = "one\ntwo\u202e\u0007";
    const leak = { seen: "AGE-SECRET-KEY-1QQQ" };
    const verification = testVerification({ "model.table": { seen }, "model.profile": leak });
    const { statement, file } = await testEvidence({ verification });
    const results = statement.predicate.verification.results.map(({ seen: text }) => text);
    expect(results[0]).toBe("one two");
    expect(Buffer.from(JSON.parse(file.toString()).payload, "base64").toString()).not.toContain("AGE-SECRET-KEY");
  });

  it("says what could not be asked", async () => {
    const { evidence } = await testEvidence({
      facts: testFacts({ unknown: [{ fact: "keys", code: "GRPC_UNREACHABLE" }] }),
    });
    expect(evidence.page).toContain("What could not be asked");
  });
});

/** A statement for each of its leaves, with that one changed. */
function editsOf(value: Statement): readonly unknown[] {
  const edits: unknown[] = [];
  const walk = (node: unknown, put: (changed: unknown) => unknown): void => {
    if (typeof node === "object" && node !== null) {
      for (const [name, member] of Object.entries(node)) {
        walk(member, (changed) =>
          put(Array.isArray(node) ? node.with(Number(name), changed) : { ...node, [name]: changed }),
        );
      }
    } else
      edits.push(
        put(typeof node === "string" ? `${node}x` : typeof node === "number" ? node + 1 : node === null ? "x" : !node),
      );
  };
  walk(value, (changed) => changed);
  return edits;
}
