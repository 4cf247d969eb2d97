import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { envelopeBytes } from "./envelope-bytes.ts";
import { runCli } from "./test-io.ts";

const FILE = resolve("test/fixtures/envelope-v1.json");
const vectors = JSON.parse(readFileSync(FILE, "utf8"));
const valid = Buffer.from(vectors.single[0].envelope, "hex");
const text = (value: unknown) => Buffer.from(JSON.stringify(value));
const inspect = (stdin: Uint8Array, ...options: string[]) =>
  runCli(["envelope", "inspect", "-", ...options], { stdin });

describe("envelope check", () => {
  it("finds no mismatch in the published vectors: one line, exit code 0", async () => {
    const { exit, stdout, stderr } = await runCli(["envelope", "check", FILE, "--json"]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout.match(/\n/g)).toHaveLength(1);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ schema: "trustkern.envelope-check/1", mismatches: 0 });
    expect(report.single).toHaveLength(vectors.single.length);
  });

  it("is exit code 1 when a verdict or a payload is another, and says which", async () => {
    const [first, second, ...others] = vectors.single;
    const single = [{ ...first, verdict: "replay" }, { ...second, payload: { fw: "9.9.9" } }, ...others];
    const argv = ["envelope", "check", "-"];
    const stdin = text({ ...vectors, single });
    const words = await runCli(argv, { stdin });
    expect(words.exit).toBe(1);
    expect(words.stdout).toContain("expected replay, got accepted");
    expect(words.stdout).toContain("payload differs");
    const json = await runCli([...argv, "--json"], { stdin });
    expect(JSON.parse(json.stdout).mismatches).toBe(2);
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    ["another form", text({ single: 5 })],
    ["nothing", new Uint8Array()],
  ])("is exit code 2 for a file with %s", async (_, stdin) => {
    expect(await runCli(["envelope", "check", "-"], { stdin })).toMatchObject({ exit: 2, stdout: "" });
  });

  it("is exit code 6 for a file that is not there", async () => {
    expect((await runCli(["envelope", "check", "none.json"])).exit).toBe(6);
  });
});

describe("envelope inspect", () => {
  it.each([
    ["bytes", valid],
    ["hex", Buffer.from(valid.toString("hex"))],
    ["upper-case hex with line breaks", Buffer.from(valid.toString("hex").toUpperCase().replace(/.{60}/g, "$&\r\n"))],
    ["base64", Buffer.from(valid.toString("base64"))],
    ["base64url", Buffer.from(valid.toString("base64url"))],
  ])("reads %s", (_, input) => {
    expect(Buffer.from(envelopeBytes(input)).equals(valid)).toBe(true);
  });

  it("names all nine fields, and with the keys of a vectors file the verdict and the payload", async () => {
    const { exit, stdout } = await inspect(valid, "--vectors", FILE, "--json");
    expect(exit).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ schema: "trustkern.envelope-inspect/1", verdict: "accepted", unchecked: [] });
    expect(report.fields).toHaveLength(9);
    expect(report.payload).toEqual(vectors.single[0].payload);
  });

  it("says what it could not check", async () => {
    const { exit, stdout } = await inspect(valid);
    expect(exit).toBe(0);
    expect(stdout).toContain("not checked, for want of a key: signature, decryption");
  });

  it("says the byte at which a truncated envelope goes wrong", async () => {
    const { exit, stdout } = await inspect(valid.subarray(0, 100));
    expect(exit).toBe(1);
    expect(stdout).toMatch(/verdict malformed at byte \d+: /);
  });

  it("says that a signature is forged", async () => {
    const forged = Buffer.from(valid);
    forged[forged.length - 1]! ^= 1;
    const { exit, stdout } = await inspect(forged, "--vectors", FILE);
    expect(exit).toBe(1);
    expect(stdout).toContain("verdict bad-signature");
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["half a hex digit", Buffer.from("abc")],
    ["more than any envelope", new Uint8Array(40_000)],
  ])("refuses %s", async (_, stdin) => {
    const { exit, stderr } = await inspect(stdin);
    expect(exit).toBe(2);
    expect(stderr).toContain("CLI_ENVELOPE_ENCODING");
  });

  it("is exit code 6 for a file that is not there", async () => {
    expect((await runCli(["envelope", "inspect", "none.hex"])).exit).toBe(6);
  });
});
