import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseVectors } from "./vectors-file.ts";

const valid = JSON.parse(readFileSync(new URL("../test/fixtures/envelope-v1.json", import.meta.url), "utf8"));
const mistakesOf = (file: unknown) => {
  try {
    parseVectors(JSON.stringify(file));
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  return null;
};

it("a file may leave the sequences or the single cases out", () => {
  const { recipient, allowlist, single } = valid;
  expect(parseVectors(JSON.stringify({ recipient, allowlist, single })).sequence).toEqual({
    gateway: [],
    collector: [],
  });
  expect(parseVectors(JSON.stringify({ recipient, allowlist })).single).toEqual([]);
});

it("a file may have its hex in upper case", () => {
  const single = [{ ...valid.single[0], envelope: valid.single[0].envelope.toUpperCase() }];
  expect(parseVectors(JSON.stringify({ ...valid, single })).single[0]?.envelope).toBe(valid.single[0].envelope);
});

it.each([
  ["recipient", { ...valid, recipient: undefined }],
  ["recipient.private_key", { ...valid, recipient: { ...valid.recipient, private_key: "00" } }],
  ["recipient.public_key", { ...valid, recipient: { ...valid.recipient, public_key: "00".repeat(32) } }],
  ["recipient.key_id", { ...valid, recipient: { ...valid.recipient, key_id: "00".repeat(8) } }],
  ["allowlist", { ...valid, allowlist: {} }],
  ["allowlist.0.sensor_id", { ...valid, allowlist: [{ ...valid.allowlist[0], sensor_id: "00" }] }],
  ["allowlist.0.public_key", { ...valid, allowlist: [{ ...valid.allowlist[0], public_key: `04${"00".repeat(64)}` }] }],
  ["single.0.envelope", { ...valid, single: [{ ...valid.single[0], envelope: "0" }] }],
  ["single.0.verdict", { ...valid, single: [{ ...valid.single[0], verdict: "ok" }] }],
  ["single.0.name", { ...valid, single: [{ ...valid.single[0], name: 1 }] }],
  ["sequence.gateway", { ...valid, sequence: { gateway: 1 } }],
  ["file", []],
])("a mistake in %s is refused with its place", (path, file) => {
  const mistakes = mistakesOf(file);
  expect(mistakes).toMatchObject({ code: "VECTORS_MALFORMED" });
  expect(mistakes?.message).toContain(`${path}: `);
});

it("several mistakes are in one report, and no private key is", () => {
  const recipient = { ...valid.recipient, private_key: `${valid.recipient.private_key}zz` };
  const mistakes = mistakesOf({ ...valid, recipient, single: [{}] });
  for (const path of ["recipient.private_key", "single.0.name", "single.0.envelope"])
    expect(mistakes?.message).toContain(`${path}: `);
  expect(mistakes?.message).not.toContain(valid.recipient.private_key);
});

it("text that is no JSON is refused", () => {
  expect(() => parseVectors("{")).toThrow(expect.objectContaining({ code: "VECTORS_MALFORMED" }));
});
