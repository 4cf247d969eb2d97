import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createMemorySigner } from "../../certs/signers/index.ts";
import { testEvidence } from "./test-evidence.ts";

const run = promisify(execFile);

/** The recipe of docs/guides/evidence.md. */
const RECIPE = /```sh verify-with-openssl\n(.*?)```/s.exec(readFileSync("docs/guides/evidence.md", "utf8"))?.[1] ?? "";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-openssl-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function leave(): Promise<{ fingerprint: string; envelope: string }> {
  const { evidence } = await testEvidence();
  writeFileSync(join(folder, "evidence.json"), evidence.envelope);
  writeFileSync(join(folder, "evidence.pub"), evidence.publicKeyPem);
  return evidence;
}
const openssl = async (): Promise<string> => (await run("sh", ["-ec", RECIPE], { cwd: folder })).stdout;

it("is verified by openssl as the guide says, with the fingerprint that was printed", async () => {
  const { fingerprint } = await leave();
  const said = await openssl();
  expect(said).toContain(fingerprint);
  expect(said).toMatch(/^Verified OK$/m);
  expect(JSON.parse(readFileSync(join(folder, "statement.json"), "utf8"))._type).toBe(
    "https://in-toto.io/Statement/v1",
  );
});

it("is refused by openssl with an edited payload", async () => {
  const { envelope } = await leave();
  const all = JSON.parse(envelope);
  const edited = Buffer.from(all.payload, "base64").toString().replace('"verdict":"proven"', '"verdict":"Proven"');
  const payload = Buffer.from(edited).toString("base64");
  writeFileSync(join(folder, "evidence.json"), `${JSON.stringify({ ...all, payload })}\n`);
  await expect(openssl()).rejects.toMatchObject({ stdout: expect.stringContaining("Verification failure") });
});

it("is refused by openssl with another key", async () => {
  await leave();
  const { signer } = await createMemorySigner("P-256", "other");
  writeFileSync(join(folder, "evidence.pub"), (await testEvidence({ signer })).evidence.publicKeyPem);
  await expect(openssl()).rejects.toMatchObject({ stdout: expect.stringContaining("Verification failure") });
});
