import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestEscrow } from "../escrow/test-escrow.ts";

const room = new TestEscrow();
let escrow: string;
beforeAll(async () => {
  await room.prepare();
  [, escrow = ""] = await room.hold("out");
  await room.hold("other");
}, 120_000);
afterAll(() => room.remove());

const verify = (file: string, ...escrowFile: readonly string[]) =>
  room.json("keys", "transcript", "verify", file, ...escrowFile.flatMap((each) => ["--escrow", each]));

/** Writes another transcript, and verifies it. */
function verifyText(text: string): ReturnType<typeof verify> {
  writeFileSync(room.file("changed.jws"), text);
  return verify("changed.jws", escrow);
}
const invalid = { error: { code: "CUSTODY_KEY_TRANSCRIPT_INVALID" } };

describe("keys transcript verify", () => {
  test("shows what the ceremony key has signed", async () => {
    expect(await verify("out/transcript.jws", escrow)).toMatchObject({ exit: 0, ok: true, entries: [{ act: "made" }] });
    const { stdout } = await room.run(["keys", "transcript", "verify", "out/transcript.jws", "--escrow", escrow]);
    expect(stdout).toContain("generation made");
    expect(stdout).toMatch(/^whole: 1 entry, the last of \d{4}-/m);
    expect(stdout).toContain("count them in a witness's copy");
  });

  test("counts the entries", async () => {
    const shares = room.shares("out", "anna", "ben");
    await room.run(["keys", "rehearse", "--escrow", escrow, "-i", "anna.txt,ben.txt", ...shares]);
    expect(await verify("out/transcript.jws", escrow)).toMatchObject({ exit: 0, count: 2 });
    expect(await verifyText(`${room.read("out/transcript.jws").split("\n")[0]}\n`)).toMatchObject({
      exit: 0,
      count: 1,
    });
  });

  test("says of an escrow file whose set was dealt anew that it was replaced, and by which", async () => {
    const quorum = ["--threshold", "2", ...room.holders("cleo", "dora")];
    const brought = ["--escrow", escrow, "-i", "anna.txt,ben.txt", ...room.shares("out", "anna", "ben")];
    expect(await room.json("keys", "reshare", ...brought, ...quorum, "-o", "anew")).toMatchObject({ exit: 0 });
    const anew = room.find("anew", /^escrow-/);
    const { setId } = JSON.parse(room.read(anew));
    expect(await verify("anew/transcript.jws", escrow)).toMatchObject({
      exit: 5,
      error: { code: "CUSTODY_ESCROW_REPLACED", path: escrow, message: expect.stringContaining(setId) },
    });
    expect(await verify("anew/transcript.jws", anew)).toMatchObject({ exit: 0, ok: true });
    expect(await verify("out/transcript.jws", anew)).toMatchObject(invalid);
  });

  test("refuses a transcript of another generation, of none, and one that was changed", async () => {
    expect(await verify("other/transcript.jws", escrow)).toMatchObject(invalid);
    const text = room.read("out/transcript.jws");
    expect(await verifyText("")).toMatchObject(invalid);
    expect(await verifyText(`${text}${text}`)).toMatchObject(invalid);
    expect(await verifyText(text.replace(/\.(.)/, (_, first) => `.${first === "a" ? "b" : "a"}`))).toMatchObject(
      invalid,
    );
  });

  test("needs the escrow file, and a transcript that is there", async () => {
    expect(await verify("out/transcript.jws")).toMatchObject({ exit: 2, error: { code: "CLI_USAGE" } });
    expect(await verify("nowhere.jws", escrow)).toMatchObject({ exit: 6, error: { code: "CLI_FILE" } });
  });
});
