import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openTranscript, verifyTranscript } from "../../../certs/ceremony/transcript.ts";
import type { KeyRef } from "../../../certs/signers/index.ts";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { authoritiesInUse } from "../authorities-in-use.ts";
import { keyPlaceFile, renderKeyPlace } from "../authority-key.ts";
import type { FakeToken as Token } from "./fake-token.ts";
import { Killed, ModelFleet } from "./model-fleet.ts";
import { rotationOf } from "./rotations.ts";
import type { RotationTarget } from "./target.ts";

const held = vi.hoisted(() => ({ token: undefined as Token | undefined }));
vi.mock("../../../certs/signers/index.ts", async (original) => {
  const real = (await original()) as typeof import("../../../certs/signers/index.ts");
  const of = (ref: KeyRef): Token | undefined => (ref.kind === "pkcs11" ? held.token : undefined);
  return {
    ...real,
    createSigner: (ref: KeyRef, curve: "P-256" | "P-384") =>
      of(ref)?.create(ref, curve) ?? real.createSigner(ref, curve),
    loadSigner: (ref: KeyRef) => of(ref)?.load(ref) ?? real.loadSigner(ref),
  };
});

const { FakeToken } = await import("./fake-token.ts");
const token = new FakeToken();
held.token = token;

const { keyPrefix: _, ...place } = token.device;

const CASES: readonly (readonly [string, Deployment["pki"]])[] = [
  ["a root on a medium and issuing keys on a token", { root: { kind: "age" }, issuing: token.device }],
  ["root and issuing keys on a token", { root: token.device, issuing: token.device }],
];
const TARGETS: readonly RotationTarget[] = [
  { kind: "root" },
  { kind: "intermediate", leafClass: "services" },
  { kind: "intermediate", leafClass: "gateways" },
];
const EVERYBODY = ["broker", "backend", "collector", "gw-01"];

const rotate = (fleet: ModelFleet, target: RotationTarget) => fleet.rotate((context) => rotationOf(target, context));
const placeOf = (fleet: ModelFleet, name: string) =>
  JSON.parse(readFileSync(join(fleet.authoritiesDir, `${name}.key.json`), "utf8")) as Record<string, string>;

/** What is wrong with the transcript of a fleet, about every authority in use. */
async function transcriptOf(fleet: ModelFleet) {
  const read = (file: string) => readFileSync(join(fleet.authoritiesDir, file), "utf8");
  const certificates = Object.fromEntries(
    authoritiesInUse(fleet.authoritiesDir).map(({ id, name }) => [id, read(`${name}.crt`)]),
  );
  const [jws, rootPem] = [read("transcript.jws").trim(), read("root.crt")];
  const findings = await verifyTranscript({ jws, rootPem, certificates });
  return { findings, transcript: findings.length === 0 ? await openTranscript(jws, rootPem) : undefined };
}

describe.each(CASES)("with %s,", (_, pki) => {
  let first: ModelFleet;
  let keys: ReadonlyMap<string, KeySigner>;
  const fleets: ModelFleet[] = [];
  beforeAll(async () => {
    token.attached = true;
    token.keys.clear();
    first = await ModelFleet.make(pki);
    keys = new Map(token.keys);
  });
  afterAll(() => first.remove());
  const make = (): ModelFleet => {
    const fleet = ModelFleet.copyOf(first);
    fleets.push(fleet);
    return fleet;
  };
  beforeEach(() => {
    token.attached = true;
    token.keys.clear();
    for (const [label, key] of keys) token.keys.set(label, key);
  });
  afterEach(() => {
    for (const fleet of fleets.splice(0)) fleet.remove();
  });

  it.each(TARGETS)("a rotation of %o makes the key where the one before is, and says who was there", async (target) => {
    const fleet = make();
    const name = target.kind === "intermediate" ? target.leafClass : "root";
    const before = placeOf(fleet, name);
    const memo = await rotate(fleet, target);
    const after = placeOf(fleet, name);
    expect(after.kind).toBe(before.kind);
    expect(after).not.toEqual(before);
    if (after.kind === "pkcs11") expect(after.label).toBe(`${before.label}-2`);
    expect(memo.oldKey).toContain(before.label ?? before.file);
    expect([...fleet.violations, ...(await fleet.loose())]).toEqual([]);
    const { findings, transcript } = await transcriptOf(fleet);
    expect(findings).toEqual([]);
    expect(transcript).toMatchObject({ conductor: "Ada", witnesses: ["Grace"], made: [name] });
    for (const file of [`${name}.next.crt`, `${name}.next.key.json`, `${name}.next.key`, "transcript.next.jws"]) {
      expect(existsSync(join(fleet.authoritiesDir, file)), file).toBe(false);
    }
  });

  it.each(TARGETS)("a rotation of %o that dies is finished by the next run", { timeout: 60_000 }, async (target) => {
    for (const killAt of [1, 2, 3, 4, 9, 17]) {
      const fleet = make();
      fleet.readers = (step) => (step % 2 === killAt % 2 ? [EVERYBODY[(step + killAt) % 4] ?? ""] : []);
      await fleet.rotateDespite((context) => rotationOf(target, context), killAt);
      const wrong = [...fleet.violations, ...(await fleet.loose()), ...(await transcriptOf(fleet)).findings];
      expect([killAt, ...wrong]).toEqual([killAt]);
    }
  });

  it("a rotation after a rotation takes the next place, and its transcript follows the one before", async () => {
    const fleet = make();
    await rotate(fleet, { kind: "intermediate", leafClass: "services" });
    const digest = (await transcriptOf(fleet)).transcript?.follows;
    expect(existsSync(join(fleet.authoritiesDir, `transcripts/${digest}.jws`))).toBe(true);
    // Its owner has destroyed the first one by now: its label is not used again.
    token.keys.delete("plant-services");
    await rotate(fleet, { kind: "intermediate", leafClass: "services" });
    expect(placeOf(fleet, "services").label).toBe("plant-services-3");
    expect((await transcriptOf(fleet)).findings).toEqual([]);
  });

  it("a key that is in the way is neither used nor replaced", async () => {
    const fleet = make();
    const somebodys = await token.create({ ...token.device, label: "plant-services-2" }, "P-256");
    await rotate(fleet, { kind: "intermediate", leafClass: "services" });
    expect(placeOf(fleet, "services").label).toBe("plant-services-3");
    expect(token.keys.get("plant-services-2")).toBe(somebodys);
  });

  it("a key that was made as the program died is the one that the next run goes on with", async () => {
    const fleet = make();
    token.afterCreate = () => {
      throw new Killed("made a key");
    };
    const services: RotationTarget = { kind: "intermediate", leafClass: "services" };
    await expect(rotate(fleet, services)).rejects.toThrow(Killed);
    token.afterCreate = () => undefined;
    const key = token.keys.get("plant-services-2");
    expect(placeOf(fleet, "services.next").label).toBe("plant-services-2");
    await rotate(fleet, services);
    expect([placeOf(fleet, "services").label, token.keys.get("plant-services-2")]).toEqual(["plant-services-2", key]);
    expect(token.keys.has("plant-services-3")).toBe(false);
  });

  it("another authority's key is not taken for a successor's, whatever its place is called", async () => {
    const fleet = make();
    const gateways = token.keys.get("plant-gateways");
    if (gateways !== undefined) token.keys.set("alias", gateways);
    writeFileSync(keyPlaceFile(fleet.authoritiesDir, "services.next"), renderKeyPlace({ ...place, label: "alias" }));
    await expect(rotate(fleet, { kind: "intermediate", leafClass: "services" })).rejects.toMatchObject({
      code: "CEREMONY_KEY_REUSED",
    });
    expect(existsSync(join(fleet.authoritiesDir, "services.next.crt"))).toBe(false);
  });

  it("an issuing key does not leave its device for a file", async () => {
    const fleet = make();
    fleet.ceremony = { ...fleet.ceremony, pki: { ...pki, issuing: { kind: "file" } } };
    await expect(rotate(fleet, { kind: "intermediate", leafClass: "services" })).rejects.toMatchObject({
      code: "CEREMONY_NEEDED",
    });
    expect(fleet.unfinished).toBeUndefined();
  });

  it("nothing begins while the token is away", async () => {
    const fleet = make();
    token.attached = false;
    await expect(rotate(fleet, { kind: "intermediate", leafClass: "services" })).rejects.toMatchObject({
      code: "SIGNER_TOKEN_MISSING",
    });
    expect(fleet.unfinished).toBeUndefined();
  });
});

describe("a root on a medium", () => {
  let first: ModelFleet;
  const fleets: ModelFleet[] = [];
  beforeAll(async () => {
    first = await ModelFleet.make({ root: { kind: "age" }, issuing: { kind: "file" } });
  });
  afterAll(() => first.remove());
  afterEach(() => {
    for (const fleet of fleets.splice(0)) fleet.remove();
  });
  const make = (): ModelFleet => {
    const fleet = ModelFleet.copyOf(first);
    fleets.push(fleet);
    return fleet;
  };
  const rotateRoot = (fleet: ModelFleet) => rotate(fleet, { kind: "root" });
  const elsewhere = (which: string) => ({
    code: "ROOT_KEY_ELSEWHERE",
    message: expect.stringContaining(which),
  });
  const medium = (fleet: ModelFleet) => fleet.ceremony.rootFile ?? { file: "", passphraseFile: "" };

  it("is not needed for its successor: one that is lost can be replaced", async () => {
    const fleet = make();
    const old = placeOf(fleet, "root").file ?? "";
    renameSync(old, `${old}.lost`);
    try {
      await rotateRoot(fleet);
      expect([...fleet.violations, ...(await fleet.loose())]).toEqual([]);
    } finally {
      renameSync(`${old}.lost`, old);
    }
  });

  it("is needed when an authority is signed, and when one is revoked, and for nothing in between", async () => {
    const fleet = make();
    const file = placeOf(fleet, "root").file ?? "";
    fleet.onPhase = (phase) => {
      if (phase === "prove-trust") renameSync(file, `${file}.away`);
    };
    try {
      await expect(rotate(fleet, { kind: "intermediate", leafClass: "gateways" })).rejects.toMatchObject(
        elsewhere("the root's key"),
      );
      expect(fleet.unfinished).toBe("remove-old");
      expect(fleet.open().store.read("gateways.old")).toBeDefined();
      fleet.onPhase = () => undefined;
      await expect(rotate(fleet, { kind: "intermediate", leafClass: "gateways" })).rejects.toMatchObject(
        elsewhere(file),
      );
    } finally {
      renameSync(`${file}.away`, file);
    }
    await rotate(fleet, { kind: "intermediate", leafClass: "gateways" });
    expect(await fleet.loose()).toEqual([]);
  });

  it("that is away before it signs leaves everything as it was, and the next run goes on", async () => {
    const fleet = make();
    const { file } = medium(fleet);
    const root = fleet.open().store.fingerprint("root");
    fleet.onPhase = (phase) => {
      if (phase === "issue") renameSync(file, `${file}.away`);
    };
    await expect(rotateRoot(fleet)).rejects.toMatchObject(elsewhere("the next root's key"));
    expect(fleet.open().store.fingerprint("root")).toBe(root);
    await fleet.open().converge();
    renameSync(`${file}.away`, file);
    fleet.onPhase = () => undefined;
    fleet.ceremony = { ...fleet.ceremony, rootFile: undefined };
    await rotateRoot(fleet);
    expect([...fleet.violations, ...(await fleet.loose())]).toEqual([]);
  });

  it.each<[string, string, (fleet: ModelFleet) => void]>([
    ["no file is named", "ROOT_KEY_ELSEWHERE", (fleet) => name(fleet, undefined)],
    ["the file of the root in force is named", "KEY_PLACE_TAKEN", (fleet) => name(fleet, placeOf(fleet, "root").file)],
    ["a file is named that is there", "KEY_PLACE_TAKEN", (fleet) => name(fleet, medium(fleet).passphraseFile)],
    ["a file in the state directory is named", "ROOT_KEY_ONLINE", (fleet) => name(fleet, join(fleet.dir, "root.age"))],
    ["the passphrase is away", "CUSTODY_PASSPHRASE_MISSING", (fleet) => rmSync(medium(fleet).passphraseFile)],
    [
      "a token is said, and a file named",
      "KEY_PLACE_TAKEN",
      (fleet) => {
        fleet.ceremony = { ...fleet.ceremony, pki: { ...fleet.ceremony.pki, root: token.device } };
      },
    ],
  ])("is not replaced when %s", async (_, code, change) => {
    const fleet = make();
    change(fleet);
    await expect(rotateRoot(fleet)).rejects.toMatchObject({ code });
    expect([fleet.unfinished, existsSync(join(fleet.authoritiesDir, "root.next.key.json"))]).toEqual([
      undefined,
      false,
    ]);
  });

  it("is not made on another medium than the one that was begun with", async () => {
    const fleet = make();
    fleet.killAt = 2;
    await expect(rotateRoot(fleet)).rejects.toThrow();
    fleet.killAt = Number.POSITIVE_INFINITY;
    const began = medium(fleet);
    name(fleet, `${began.file}.other`);
    await expect(rotateRoot(fleet)).rejects.toMatchObject({ code: "KEY_PLACE_TAKEN" });
    name(fleet, began.file);
    await rotateRoot(fleet);
    expect(await fleet.loose()).toEqual([]);
  });

  it("has no transcript that another root signed, or that says another authority", async () => {
    const fleet = make();
    const before = readFileSync(join(fleet.authoritiesDir, "transcript.jws"), "utf8");
    await rotateRoot(fleet);
    writeFileSync(join(fleet.authoritiesDir, "transcript.jws"), before);
    expect((await transcriptOf(fleet)).findings).toMatchObject([{ path: "transcript" }]);
  });

  const name = (fleet: ModelFleet, file: string | undefined): void => {
    const { passphraseFile } = medium(fleet);
    fleet.ceremony = { ...fleet.ceremony, rootFile: file === undefined ? undefined : { file, passphraseFile } };
  };
});
