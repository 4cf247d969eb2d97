import { beforeAll, describe, expect, test } from "vitest";
import { signJws } from "../../certs/signers/sign-jws.ts";
import type { Deal } from "./deal.ts";
import { withEntry } from "./entry.ts";
import { renderEntry } from "./render-entry.ts";
import { ceremonySigner, type EscrowSecrets, makeSecrets } from "./secrets.ts";
import { dealTo } from "./test-deal.ts";
import { openEntries } from "./transcript.ts";

const held = {
  now: new Date("2026-11-21T08:00:00Z"),
  versions: { trustkern: "0.1.0" },
  conductor: "Ada",
  witnesses: ["Grace"],
};
let secrets: EscrowSecrets;
let dealt: Deal;
let text: string;
const add = (before: string, act: "made" | "rehearsed", changed: object = {}) =>
  withEntry({ ...held, act, escrow: dealt.escrow, secrets, before, made: {}, ...changed });
const open = (transcript: string, of = dealt.escrow) => openEntries(transcript, of, "t.jws");
const lines = () => text.trim().split("\n") as [string, string, string];

beforeAll(async () => {
  secrets = makeSecrets();
  dealt = await dealTo(2, 3, { secrets });
  text = await add(await add(await add("", "made"), "rehearsed"), "rehearsed", { made: { used: [1, 3] } });
});

describe("a transcript", () => {
  test("has a line for each ceremony, each after the one before", async () => {
    const entries = await open(text);
    expect(entries.map(({ act }) => act)).toEqual(["made", "rehearsed", "rehearsed"]);
    expect(entries.map(({ follows }) => follows === undefined)).toEqual([true, false, false]);
    expect(await open("")).toEqual([]);
  });

  test.each<[string, () => string, number]>([
    ["without its first line", () => lines().slice(1).join("\n"), 1],
    ["without a line in its middle", () => [lines()[0], lines()[2]].join("\n"), 2],
    ["with two lines changed places", () => [lines()[0], lines()[2], lines()[1]].join("\n"), 2],
    ["with a line twice", () => [...lines(), lines()[2]].join("\n"), 4],
    ["with a line of something else", () => `${text}hello\n`, 4],
    ["with a character changed", () => text.replace(/\.ey(.)/, (_, first) => `.ey${first === "A" ? "B" : "A"}`), 1],
    ["with no signature", () => `${lines()[0].replace(/\.[^.]*$/, ".")}\n`, 1],
  ])("is not believed %s", async (_, changed, line) => {
    await expect(open(changed())).rejects.toMatchObject({
      code: "CUSTODY_KEY_TRANSCRIPT_INVALID",
      path: "t.jws",
      message: expect.stringContaining(`line ${line} `),
    });
  });

  test("is not that of another generation, of another ceremony key, or of another kind of statement", async () => {
    const invalid = { code: "CUSTODY_KEY_TRANSCRIPT_INVALID" };
    const other = (await dealTo(2, 2)).escrow;
    await expect(open(text, other)).rejects.toMatchObject(invalid);
    await expect(open(text, { ...dealt.escrow, keyId: other.keyId })).rejects.toMatchObject(invalid);
    const signer = await ceremonySigner(secrets, dealt.escrow.keyId);
    const payload = Buffer.from(lines()[0].split(".")[1] ?? "", "base64url");
    await expect(open(await signJws(signer, { typ: "JWT" }, payload))).rejects.toMatchObject(invalid);
    const short = Buffer.from('{"schema":"trustkern.key-ceremony/1"}');
    await expect(open(await signJws(signer, { typ: "trustkern.key-ceremony/1" }, short))).rejects.toMatchObject(
      invalid,
    );
  });

  test.each([
    ["nobody who conducts it", { conductor: "" }],
    ["its conductor as a witness", { witnesses: ["Ada"] }],
    ["a witness of two lines", { witnesses: ["Grace\nJoan"] }],
  ])("gets no line with %s", async (_, changed) => {
    await expect(add("", "made", changed)).rejects.toMatchObject({ code: "CEREMONY_NAME_INVALID" });
  });

  test("is printed with what people compare", async () => {
    const [, , last] = await open(text);
    const printed = renderEntry(last!, dealt.escrow.ceremonyKey).replaceAll(/(?<=[0-9a-f]{4}) (?=[0-9a-f]{4})/g, "");
    for (const part of ["Ada", "Grace", dealt.escrow.keyId, dealt.escrow.setId, "shares 1, 3", last?.follows ?? "-"]) {
      expect(printed).toContain(part);
    }
  });
});
