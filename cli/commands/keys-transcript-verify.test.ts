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
