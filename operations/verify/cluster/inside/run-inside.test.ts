import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answersIn } from "./run-inside.ts";

const CUT = new Error("cut off");

async function* chunked(bytes: Buffer, sizes: readonly number[]): AsyncIterable<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function answers(text: string, sizes: readonly number[] = []): Promise<readonly unknown[]> {
  const given: unknown[] = [];
  for await (const answer of answersIn(chunked(Buffer.from(text), sizes), async () => CUT)) given.push(answer);
  return given;
}

describe("answers of a program in a pod", () => {
  it("are whole however the bytes come", async () => {
    const value = fc.array(fc.record({ text: fc.string({ unit: "grapheme" }) }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(value, fc.array(fc.nat(9), { maxLength: 20 }), async (values, sizes) => {
        const text = [...values.map((each) => JSON.stringify(each)), '"end"', ""].join("\n");
        expect(await answers(text, sizes)).toEqual(values);
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["answers without an end", '{"a":1}\n'],
    ["an end without its line feed", '{"a":1}\n"end"'],
    ["something behind the end", '"end"\n{"a":1}\n'],
  ])("are none where there is %s", async (_, text) => {
    await expect(answers(text)).rejects.toBe(CUT);
  });
});
