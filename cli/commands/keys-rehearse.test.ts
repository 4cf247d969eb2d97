import { existsSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestEscrow } from "../escrow/test-escrow.ts";

const room = new TestEscrow();
const json = (...argv: readonly string[]) => room.json(...argv);

let escrow: string;
/** Files with the shares of the set in force. */
let shares: readonly string[];
let rehearse: readonly string[];

beforeAll(async () => {
  await room.prepare();
  rehearse = ["keys", "rehearse", ...(await room.hold("out"))];
  await room.hold("other");
  escrow = room.find("out", /^escrow-/);
  shares = room.shares("out", "anna", "ben", "cleo");
}, 120_000);
afterAll(() => room.remove());

const transcriptLines = (file = "out/transcript.jws"): number => room.read(file).trim().split("\n").length;
const [anna, ben] = [() => shares[0] ?? "", () => shares[1] ?? ""];

/** A share's text, as its holder prints it. */
async function textOf(share: string, print: string): Promise<string> {
  const { Decrypter, armor } = await import("age-encryption");
  const decrypter = new Decrypter();
  decrypter.addIdentity(room.read(`${print}.txt`).split("\n")[1] ?? "");
  return decrypter.decrypt(armor.decode(room.read(share)), "text");
}

describe("keys rehearse", () => {
  test("proves that a quorum restores, prints no key, and adds a signed line to the transcript", async () => {
    const before = transcriptLines();
    const { exit, stdout } = await room.run([...rehearse, anna(), ben(), "--witnesses", "Grace"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("restored and proved in a rehearsal");
    expect(stdout).toContain("brought     shares 1, 2");
    expect(transcriptLines()).toBe(before + 1);
    expect(await json(...rehearse, ben(), shares[2] ?? "")).toMatchObject({
      exit: 0,
      schema: "trustkern.keys-rehearse/1",
      act: "rehearsed",
      used: [2, 3],
      follows: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("takes a share as text, from stdin too", async () => {
    writeFileSync(room.file("anna.share"), (await textOf(anna(), "anna")).toUpperCase().replaceAll("-", " "));
    const stdin = Buffer.from(await textOf(ben(), "ben"));
    expect((await room.run([...rehearse.slice(0, 4), "anna.share", "-"], { stdin })).exit).toBe(0);
  });

  test("says with --dry-run which share is good, and writes nothing", async () => {
    const before = transcriptLines();
    expect(await json(...rehearse, anna(), "--dry-run")).toMatchObject({ exit: 1, ok: false, missing: 1, shares: [1] });
    expect(await json(...rehearse, anna(), ben(), "--dry-run")).toMatchObject({ exit: 0, ok: true, shares: [1, 2] });
    const { stdout } = await room.run([...rehearse, anna(), anna(), "--dry-run"]);
    expect(stdout).toContain("CUSTODY_SHARE_DUPLICATE");
    expect(transcriptLines()).toBe(before);
  });

  test("names each share that something is wrong with", async () => {
    const text = await textOf(anna(), "anna");
    writeFileSync(room.file("flipped"), text.replace(/q/, "p"));
    const foreign = room.find("other", /-cleo\.age$/);
    const answer = await json(...rehearse, "flipped", foreign, "cleo.txt", ben());
    expect(answer).toMatchObject({ exit: 1, error: { code: "CUSTODY_SHARE_CORRUPT", path: "flipped" } });
    const { message } = answer.error as { message: string };
    for (const name of ["flipped", foreign, "cleo.txt"]) expect(message).toContain(name);
    expect(message).not.toContain(ben());
  });

  test.each([
    ["one share too few", () => [anna()], "CUSTODY_SHARES_TOO_FEW"],
    ["no share", () => [], "CUSTODY_SHARES_TOO_FEW"],
    ["one share twice", () => [anna(), anna()], "CUSTODY_SHARE_DUPLICATE"],
    ["a share that is not there", () => [anna(), "none.age"], "CLI_FILE"],
    ["no escrow file", () => [anna(), ben(), "--escrow", "none.json"], "CLI_FILE"],
    ["a file that is no escrow", () => [anna(), ben(), "--escrow", "trustkern.yaml"], "CUSTODY_ESCROW_CORRUPT"],
    ["an identity file that is none", () => [anna(), ben(), "-i", "trustkern.yaml"], "CUSTODY_SHARE_UNREADABLE"],
    ["a conductor who is a witness", () => [anna(), ben(), "--witnesses", "Ada"], "CEREMONY_NAME_INVALID"],
  ])("is refused with %s, and the transcript stays", async (_, argv, code) => {
    const before = transcriptLines();
    expect(await json(...rehearse, ...argv())).toMatchObject({ error: { code } });
    expect(transcriptLines()).toBe(before);
  });

  test("is refused where the identities are other holders'", async () => {
    for (const identities of [["-i", "dora.txt"], ["-i", "anna.txt"], []]) {
      const answer = await json(...rehearse.slice(0, 4), anna(), ben(), ...identities);
      expect(answer).toMatchObject({ exit: 3, error: { code: "CUSTODY_SHARE_UNREADABLE" } });
    }
  });

  test("refuses a share or an identity on the command line, and repeats neither", async () => {
    const share = (await textOf(anna(), "anna")).trim();
    const identity = room.read("anna.txt").split("\n")[1] ?? "";
    for (const argv of [
      [share, ben()],
      ["--escrow", share],
      ["-i", identity],
    ]) {
      const { exit, stdout, stderr } = await room.run([...rehearse, ...argv]);
      expect([exit, stdout]).toEqual([5, ""]);
      expect(stderr).toContain("CUSTODY_SHARE_EXPOSED");
      for (const secret of [share.slice(60), identity.slice(20)]) expect(stderr).not.toContain(secret);
    }
  });

  test("does not go on with a transcript that was changed, or of another generation", async () => {
    const good = room.read("out/transcript.jws");
    const lines = good.trim().split("\n");
    const foreign = room.read("other/transcript.jws");
    for (const text of [lines.slice(1).join("\n"), lines.toReversed().join("\n"), `${good}x.y.z\n`, foreign]) {
      writeFileSync(room.file("changed.jws"), text);
      const answer = await json(...rehearse, anna(), ben(), "--transcript", "changed.jws");
      expect(answer).toMatchObject({ exit: 3, error: { code: "CUSTODY_KEY_TRANSCRIPT_INVALID" } });
      expect(room.read("changed.jws")).toBe(text);
    }
  });

  test("begins a transcript where there is none, and says so", async () => {
    const { exit, stderr } = await room.run([...rehearse, anna(), ben(), "--transcript", "new.jws"]);
    expect([exit, transcriptLines("new.jws")]).toEqual([0, 1]);
    expect(stderr).toContain("there is no transcript");
    expect(await json(...rehearse, anna(), ben(), "--transcript", "nowhere/new.jws")).toMatchObject({
      exit: 4,
      error: { code: "CLI_OUTPUT", path: "--transcript" },
    });
  });
});

test("a share in the place of the escrow file is said to be none, and nothing of it is shown", async () => {
  const age = await json("keys", "rehearse", "--escrow", anna(), ben());
  expect(age).toMatchObject({
    exit: 4,
    error: { code: "CUSTODY_ESCROW_CORRUPT", fix: expect.stringContaining("--escrow") },
  });
  expect(JSON.stringify(age)).toContain("it is an age file");
  const text = await textOf(anna(), "anna");
  writeFileSync(room.file("share.txt"), text);
  const { stderr } = await room.run(["keys", "rehearse", "--escrow", "share.txt", ben()]);
  expect(stderr).toContain("it is no JSON");
  expect(stderr).not.toContain(text.slice(0, 12));
});

test("an escrow file that was changed anywhere is refused", async () => {
  const good = JSON.parse(room.read(escrow));
  const flip = (hex: string): string => `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}`;
  for (const [member, value] of Object.entries({
    ...{ tenant: "other", createdAt: "2020-01-01T00:00:00Z", threshold: 3, keyId: flip(good.keyId) },
    ...{ publicKey: flip(good.publicKey), nonce: flip(good.nonce), ciphertext: flip(good.ciphertext) },
    ...{ dealtAt: "2020-01-01T00:00:00Z", setId: flip(good.setId), schema: "trustkern.escrow/2", more: 1 },
    shares: good.shares.with(2, { ...good.shares[2], holder: "mallory" }),
  })) {
    writeFileSync(room.file("changed.json"), JSON.stringify({ ...good, [member]: value }));
    const argv = ["keys", "rehearse", "--escrow", "changed.json", ...rehearse.slice(4), ...shares];
    const answer = await json(...argv, "--transcript", "fresh.jws");
    expect(answer, member).toMatchObject({ error: { code: expect.stringMatching(/^CUSTODY_(ESCROW|SHARE)_/) } });
    expect(existsSync(room.file("fresh.jws")), member).toBe(false);
  }
});
