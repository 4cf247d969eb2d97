import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { digestOfFile } from "./file-digest.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-digest-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MIB = 1_048_576;

it.each([0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 17, 5 * MIB])(
  "is that of all %i bytes, in their order",
  async (length) => {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 4096) bytes.writeUInt8(1 + ((at / 4096) % 251), at);
    const file = join(folder, "file");
    writeFileSync(file, bytes);
    expect(await digestOfFile(file)).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  },
);

it.each([
  ["that is not there", join(folder, "nothing"), "ENOENT"],
  ["that is a folder", folder, "EISDIR"],
])("throws what the file system says of a file %s", async (_, file, code) => {
  await expect(digestOfFile(file)).rejects.toMatchObject({ code });
});
