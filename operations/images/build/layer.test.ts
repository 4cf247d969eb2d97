import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar-stream";
import { afterAll, describe, expect, it } from "vitest";
import { type LayerEntry, writeLayer } from "./layer.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-layer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const source = join(folder, "source");
writeFileSync(source, "copied");

const entries: readonly (readonly [string, LayerEntry])[] = [
  ["usr/bin/program", { kind: "copy", from: source, executable: true }],
  ["etc/passwd", { kind: "file", content: Buffer.from("root") }],
  ["bin", { kind: "link", target: "usr/bin" }],
  ["tmp", { kind: "directory", mode: 0o1777 }],
];

async function write(name: string, of: readonly (readonly [string, LayerEntry])[]): Promise<string> {
  return writeLayer(new Map(of), join(folder, name));
}

describe("writeLayer", () => {
  it("writes the same bytes for the same entries, in whatever order and whenever they were made", async () => {
    const first = await write("a.tar", entries);
    utimesSync(source, 1, 1);
    const second = await write("b.tar", entries.toReversed());
    expect(second).toBe(first);
    expect(readFileSync(join(folder, "b.tar"))).toEqual(readFileSync(join(folder, "a.tar")));
  });

  it("gives the SHA-256 of the file", async () => {
    const digest = await write("c.tar", entries);
    const bytes = readFileSync(join(folder, "c.tar"));
    expect(digest).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  });

  it("writes other bytes for other content, another name, another right, another target", async () => {
    const plain: LayerEntry = { kind: "file", content: Buffer.from("x") };
    const digests = await Promise.all(
      [
        ["f", plain] as const,
        ["g", plain] as const,
        ["f", { ...plain, executable: true }] as const,
        ["f", { kind: "file", content: Buffer.from("y") }] as const,
        ["f", { kind: "link", target: "x" }] as const,
        ["f", { kind: "link", target: "y" }] as const,
      ].map((entry, index) => write(`d${index}.tar`, [entry])),
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("gives everything to root, writable by nobody else, at one time, with its parents before it", async () => {
    await write("e.tar", entries);
    const tar = extract();
    createReadStream(join(folder, "e.tar")).pipe(tar as never);
    const seen: string[] = [];
    for await (const { header, ...entry } of tar) {
      seen.push(header.name);
      expect([header.uid, header.gid, header.mtime.getTime()]).toEqual([0, 0, 0]);
      if (header.type === "file") expect(header.mode & 0o022).toBe(0);
      if (header.type === "file") expect(header.mode & 0o6000).toBe(0);
      (entry as never as { resume?: () => void }).resume?.();
    }
    expect(seen).toEqual(["bin", "etc/", "etc/passwd", "tmp/", "usr/", "usr/bin/", "usr/bin/program"]);
  });

  it("fails when a file cannot be read, instead of leaving it out", async () => {
    const missing: LayerEntry = { kind: "copy", from: join(folder, "missing") };
    await expect(write("f.tar", [["x", missing]])).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("fails when the layer cannot be written", async () => {
    await expect(writeLayer(new Map(entries), join(folder, "no", "such.tar"))).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});
