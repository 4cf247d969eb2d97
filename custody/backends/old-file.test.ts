import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { describeBackend } from "./backend-contract.ts";
import { openFileBackend } from "./old-file.ts";
import { type SealedFile, writeSealedFile } from "./sealed-file.ts";

const folders: string[] = [];
const PASSPHRASE = "0".repeat(64);
const SPEC = { state: "active", createdAt: "2026-01-01T00:00:00.000Z", notBefore: "2026-01-01T00:00:00.000Z" } as const;

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFile(): SealedFile {
  const folder = mkdtempSync(join(tmpdir(), "custody-"));
  folders.push(folder);
  return { path: join(folder, "generations.age"), passphrase: PASSPHRASE, workFactor: 10 };
}

async function withOneKey(): Promise<SealedFile> {
  const file = newFile();
  await (await openFileBackend(file)).generate(SPEC);
  return file;
}

async function errorOf(file: SealedFile): Promise<unknown> {
  return openFileBackend(file).then(
    () => null,
    (thrown: unknown) => thrown,
  );
}

let last: SealedFile = newFile();
describeBackend("file", {
  create: () => {
    last = newFile();
    return openFileBackend(last);
  },
  reopen: () => openFileBackend(last),
});

describe("the custody file", () => {
  it("belongs to its user alone, and nothing lies beside it", async () => {
    const { path } = await withOneKey();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, ".."))).toEqual(["generations.age"]);
  });

  it("holds no private key in the clear, raw or as text", async () => {
    const file = newFile();
    const raw = Buffer.from(generateKeyPairSync("x25519").privateKey.export({ format: "jwk" }).d ?? "", "base64url");
    await (await openFileBackend(file)).importKey(raw, SPEC);
    const bytes = readFileSync(file.path);
    for (const form of [raw, raw.toString("hex"), raw.toString("base64"), raw.toString("base64url")])
      expect(bytes.includes(form)).toBe(false);
  });

  it("says that a passphrase is wrong, and shows neither it nor the right one", async () => {
    const file = await withOneKey();
    const error = await errorOf({ ...file, passphrase: "f".repeat(64) });
    expect(error).toMatchObject({
      code: "CUSTODY_PASSPHRASE_WRONG",
      path: file.path,
      fix: expect.stringMatching(/passphrase/),
    });
    expect(inspect(error, { depth: 9 })).not.toMatch(/f{64}|0{64}/);
  });

  it("calls every changed byte corruption, and never a wrong passphrase", async () => {
    const file = await withOneKey();
    const bytes = readFileSync(file.path);
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file.path, changed);
      expect(await errorOf(file), `byte ${at}`).toMatchObject({
        code: "CUSTODY_STATE_CORRUPT",
        fix: expect.stringMatching(/backup/),
      });
    }
  });

  it.each([0, 1, 92, 93, 200])("calls a file cut to %i bytes corruption", async (length) => {
    const file = await withOneKey();
    writeFileSync(file.path, readFileSync(file.path).subarray(0, length));
    expect(await errorOf(file)).toMatchObject({ code: "CUSTODY_STATE_CORRUPT" });
  });

  it.each([
    ["no JSON", "secret-canary"],
    ["another schema", '{"schema":"trustkern.custody/2","generations":[]}'],
    ["a member of another form", '{"schema":"trustkern.custody/1","generations":[{"key_id":"secret-canary"}]}'],
    ["a key under another id", state({ key_id: "0".repeat(16) })],
    ["a public key of another private key", state({ public_key: "1".repeat(64) })],
    ["a destroyed generation that still has its key", state({ state: "destroyed" })],
  ])("calls %s under the right passphrase corruption, and shows none of it", async (_, plaintext) => {
    const file = newFile();
    await writeSealedFile(file, Buffer.from(plaintext));
    const error = await errorOf(file);
    expect(error).toMatchObject({ code: "CUSTODY_STATE_CORRUPT" });
    expect(inspect(error, { depth: 9 })).not.toMatch(/canary|78765865/);
  });

  it("leaves old file and memory as they were when it cannot write", async () => {
    const file = await withOneKey();
    const backend = await openFileBackend(file);
    const before = readFileSync(file.path);
    const broken = { ...file, path: join(file.path, "..", "gone", "generations.age") };
    const away = await openFileBackend(broken);
    await expect(away.generate(SPEC)).rejects.toMatchObject({
      code: "CUSTODY_STATE_UNWRITABLE",
      fix: expect.stringMatching(/space/),
    });
    expect(away.list()).toEqual([]);
    expect(readFileSync(file.path)).toEqual(before);
    expect(backend.list()).toHaveLength(1);
  });

  it("tells an unreadable file from a corrupt one", async () => {
    const file = newFile();
    // A folder in the file's place is unreadable even for root.
    await expect(openFileBackend({ ...file, path: join(file.path, "..") })).rejects.toMatchObject({
      code: "CUSTODY_STATE_UNREADABLE",
    });
  });
});

/** One generation of the vectors file's recipient, with members replaced. */
function state(members: Record<string, string>): string {
  const generation = {
    key_id: "40e2842ca3ac950a",
    public_key: "bcc7fe677520b1abc163656fbcfdd52cb738149ea099f8e410e4c7d9d1a12c28",
    private_key: "78765865b7afcd08d81838423e82b74c5526506c82a269ec89bf32b53d227d65",
    state: "active",
    created_at: SPEC.createdAt,
    not_before: SPEC.notBefore,
  };
  return JSON.stringify({ schema: "trustkern.custody/1", generations: [{ ...generation, ...members }] });
}
