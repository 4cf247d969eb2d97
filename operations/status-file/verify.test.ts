import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { isLowS } from "../../protocol/low-s.ts";
import { highTwin } from "../../protocol/test-high-s.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { sealFile } from "../signed-file/seal.ts";
import { PAYLOAD_TYPE, type StatusFile } from "./schema.ts";
import { type TestStatus, testStatus, WRITTEN_AT } from "./test-status.ts";
import { MAX_STATUS_BYTES, type StatusFileCheck, verifyStatusFile } from "./verify.ts";

let good: TestStatus;
beforeAll(async () => {
  good = await testStatus();
});

const check = (changes: Partial<StatusFileCheck> = {}) =>
  verifyStatusFile({ file: good.file, key: good.key, at: WRITTEN_AT, ...changes });
const codes = (changes: Partial<StatusFileCheck> = {}) => [...new Set(check(changes).findings.map(({ code }) => code))];
const refusing =
  (file: Uint8Array | string, key = good.key) =>
  () =>
    check({ file: Buffer.from(file), key });
const MALFORMED = expect.objectContaining({ code: "STATUS_FILE_MALFORMED", exit: 2 });
const FORGED = expect.objectContaining({ code: "STATUS_FILE_BAD_SIGNATURE", exit: 3 });

/** What was changed and then signed with the good key. */
async function resigned(change: (status: StatusFile) => void): Promise<{ file: Buffer }> {
  const status = structuredClone(good.status);
  change(status);
  return { file: Buffer.from(await sealFile(PAYLOAD_TYPE, Buffer.from(stableJson(status)), good.signer)) };
}

it("opens to what was signed, without a finding", () => {
  expect(check()).toEqual({ status: good.status, findings: [] });
});

describe("an edited file is refused", () => {
  it("whichever byte was changed, put in or taken out, or wherever it was cut", () => {
    fc.assert(
      fc.property(
        fc.nat(good.file.length - 1),
        fc.constantFrom("change", "insert", "remove", "cut"),
        fc.integer({ min: 1, max: 255 }),
        (at, how, byte) => {
          const [before, after] = [good.file.subarray(0, at), good.file.subarray(at)];
          const edited = {
            change: () => Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ byte]), after.subarray(1)]),
            insert: () => Buffer.concat([before, Buffer.from([byte]), after]),
            remove: () => Buffer.concat([before, after.subarray(1)]),
            cut: () => before,
          }[how]();
          expect(refusing(edited)).toThrow(
            expect.objectContaining({ code: expect.stringMatching(/^STATUS_FILE_(MALFORMED|BAD_SIGNATURE)$/) }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("by hand: another condition in the payload", () => {
    const envelope = JSON.parse(good.file.toString());
    const text = Buffer.from(envelope.payload, "base64").toString().replace('"healthy"', '"stopped"');
    const payload = Buffer.from(text).toString("base64");
    expect(refusing(`${JSON.stringify({ ...envelope, payload })}\n`)).toThrow(FORGED);
  });

  it.each([
    ["nothing", ""],
    ["something else", "# Status\n"],
    ["null", "null\n"],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe])],
    ["what is larger than any status file", Buffer.alloc(MAX_STATUS_BYTES + 1, 0x20)],
    ["an array as deep as the limit", "[".repeat(MAX_STATUS_BYTES)],
  ])("that is %s", (_, bytes) => {
    expect(refusing(bytes)).toThrow(MALFORMED);
  });

  it("of another payload type, such as evidence", async () => {
    const payload = Buffer.from(stableJson(good.status));
    const file = await sealFile("application/vnd.in-toto+json", payload, good.signer);
    expect(refusing(file)).toThrow(MALFORMED);
  });
});

it("another key is refused, also where the file names the trusted one", async () => {
  const other = await testStatus();
  expect(refusing(other.file)).toThrow(FORGED);
  const { keyid } = JSON.parse(good.file.toString()).signatures[0];
  expect(refusing(other.file.toString().replace(/"keyid":"[0-9a-f]+"/, `"keyid":"${keyid}"`))).toThrow(FORGED);
  expect(refusing(good.file, other.key)).toThrow(FORGED);
});

it("has one signature of the two that verify: the lower s is written, and the other one refused", async () => {
  const sigOf = (file: Uint8Array) => Buffer.from(JSON.parse(Buffer.from(file).toString()).signatures[0].sig, "base64");
  for (let i = 0; i < 8; i += 1) expect(isLowS(sigOf((await resigned(() => undefined)).file))).toBe(true);
  const low = sigOf(good.file);
  const twin = good.file.toString().replace(low.toString("base64"), highTwin(low).toString("base64"));
  expect(refusing(twin)).toThrow(FORGED);
  expect(refusing(twin)).toThrow(/with a high s/);
});

describe("what the right key signed is refused all the same", () => {
  it.each(["trustkern.status-file/0", "trustkern.status-file/2"])("of the form %s", async (schema) => {
    const { file } = await resigned((s) => Object.assign(s, { schema, more: 1 }));
    expect(refusing(file)).toThrow(expect.objectContaining({ code: "STATUS_FILE_OTHER_FORMAT", exit: 1 }));
  });

  it.each<[string, (status: StatusFile) => void]>([
    ["of no form", (s) => Object.assign(s, { schema: "status" })],
    ["with a member more", (s) => Object.assign(s, { note: "x" })],
    ["with a member of a component more", (s) => Object.assign(s.components[0]!, { messages: 12 })],
    ["with a name that is a sentence", (s) => (s.components[0]!.name = "the broker")],
    ["with a version that is none", (s) => (s.versions.dockerEngine = "28\u001b[2J")],
    ["with a key id of twice the length", (s) => (s.keys[0]!.keyId = s.keys[0]!.keyId.repeat(2))],
    ["with a key in the place of its id", (s) => (s.keys[0]!.keyId = "AGE-SECRET-KEY-1QQQ")],
    ["with a share above 1", (s) => (s.disks[0]!.freeShare = 1.5)],
    ["with a share to the byte", (s) => (s.disks[0]!.freeShare = 0.123456)],
    ["with a day that there is none of", (s) => (s.writtenAt = "2026-02-30T00:00:00.000Z")],
    ["of another engine", (s) => Object.assign(s, { engine: "embedded" })],
    ["of components without end", (s) => (s.components = Array.from({ length: 257 }, () => s.components[0]!))],
  ])("%s", async (_, change) => {
    expect(refusing((await resigned(change)).file)).toThrow(MALFORMED);
  });

  it("in another rendering than the one", async () => {
    const file = await sealFile(PAYLOAD_TYPE, Buffer.from(JSON.stringify(good.status, null, 1)), good.signer);
    expect(refusing(file)).toThrow(MALFORMED);
  });

  it.each<[string, (status: StatusFile) => void]>([
    ["another signer", (s) => (s.signer.fingerprint = "0".repeat(64))],
    ["a component twice", (s) => s.components.push(s.components[0]!)],
    ["a component that is left out", (s) => s.absent.push("broker")],
    ["a key twice", (s) => s.keys.push(s.keys[0]!)],
    ["a disk twice", (s) => (s.disks[1]!.what = "state")],
    ["what was unknown twice", (s) => s.unknown.push(...Array(2).fill({ fact: "terraform", code: "X_Y" }))],
    ["a component unknown, and Docker that answered", (s) => (s.components[0]!.condition = "unknown")],
    ["a component well, and Docker away", (s) => s.unknown.push({ fact: "docker", code: "DOCKER_UNREACHABLE" })],
    ["keys that are unknown", (s) => s.unknown.push({ fact: "keys", code: "GRPC_UNREACHABLE" })],
    ["certificates that are unknown", (s) => s.unknown.push({ fact: "certificates", code: "STATE_CORRUPT" })],
    ["a certificate that is ok and over", (s) => (s.certificates[0]!.notAfter = "2026-02-01T00:00:00.000Z")],
    ["a certificate that is over and is not", (s) => (s.certificates[0]!.state = "expired")],
  ])("as inconsistent: %s", async (_, change) => {
    expect(codes(await resigned(change))).toEqual(["STATUS_FILE_INCONSISTENT"]);
  });

  it("of tomorrow, of too long ago, and of another deployment or tenant", () => {
    const at = (days: number) => new Date(WRITTEN_AT.getTime() + days * 86_400_000);
    expect(codes({ at: at(-1) })).toEqual(["STATUS_FILE_IN_FUTURE"]);
    expect(codes({ at: new Date(WRITTEN_AT.getTime() - 5 * 60_000) })).toEqual([]);
    expect(codes({ at: at(31), maxAgeSeconds: 30 * 86_400 })).toEqual(["STATUS_FILE_TOO_OLD"]);
    expect(codes({ at: at(3_000) })).toEqual([]);
    expect(codes({ of: { deployment: "demo", tenant: "demo" } })).toEqual([]);
    expect(codes({ of: { deployment: "other" } })).toEqual(["STATUS_FILE_OTHER_DEPLOYMENT"]);
    expect(codes({ of: { tenant: "other" } })).toEqual(["STATUS_FILE_OTHER_DEPLOYMENT"]);
  });
});
