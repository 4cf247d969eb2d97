import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openBundle } from "../format/read.ts";
import { removeFolders, testFolder, writtenBundle } from "../format/test-bundle.ts";
import { parseRuntime, platformOf, renderRuntime } from "./layout.ts";
import { type TestToolkit, take, testToolkit, writtenToolkit } from "./test-toolkit.ts";
import { unpackToolkit } from "./unpack.ts";

afterEach(removeFolders);

const NEVER = new AbortController().signal;

async function unpacked(made: TestToolkit, to = join(testFolder(), "toolkit"), signal = NEVER): Promise<string> {
  const [file = ""] = await writtenToolkit(made);
  const bundle = await openBundle(file);
  try {
    await unpackToolkit(bundle, to, { signal });
    return to;
  } finally {
    await bundle.close();
  }
}

describe("unpackToolkit", () => {
  it("gives every file its bytes and mode, and takes of the layers what the runtime is", async () => {
    const made = await testToolkit();
    const to = await unpacked(made);
    for (const { path, executable, source } of made.files) {
      const place = join(to, path.replace("toolkit/", ""));
      expect(readFileSync(place)).toEqual(Buffer.concat(await source.open().toArray()));
      expect(statSync(place).mode & 0o777).toBe(executable ? 0o755 : 0o644);
    }
    expect(readFileSync(join(to, "runtime/few/libatomic.so.1"), "utf8")).toBe("atomic");
    expect(statSync(join(to, "runtime/node")).mode & 0o777).toBe(0o755);
    expect(readdirSync(to).sort()).toEqual(["bin", "lib", "providers", "runtime", "runtime.json", "trustkern"]);
  });

  it("has the same bytes once on the disk, under both names", async () => {
    const to = await unpacked(await testToolkit());
    const inode = (host: string) => statSync(join(to, "providers", host, "provider")).ino;
    expect(inode("one.example")).toBe(inode("two.example"));
  });

  it("takes a folder that is empty, and refuses one that is not", async () => {
    const to = join(testFolder(), "to");
    mkdirSync(to);
    await unpacked(await testToolkit(), to);
    await expect(unpacked(await testToolkit(), to)).rejects.toMatchObject({ code: "TOOLKIT_UNWRITABLE" });
  });

  it("says that it cannot write where a file is in the way", async () => {
    const file = join(testFolder(), "file");
    writeFileSync(file, "");
    await expect(unpacked(await testToolkit(), join(file, "to"))).rejects.toMatchObject({ code: "TOOLKIT_UNWRITABLE" });
  });

  it("refuses a bundle without a toolkit", async () => {
    const [file = ""] = await writtenBundle();
    const bundle = await openBundle(file);
    const to = join(testFolder(), "to");
    await expect(unpackToolkit(bundle, to, { signal: NEVER })).rejects.toMatchObject({ code: "TOOLKIT_MALFORMED" });
    expect(existsSync(to)).toBe(false);
    await bundle.close();
  });

  it("refuses a runtime that names a file which the layer lacks", async () => {
    const made = await testToolkit(([packages]) => [
      { digest: packages?.digest ?? "", take: [take("usr/bin/gone", "runtime/node", "", true)] },
    ]);
    await expect(unpacked(made)).rejects.toMatchObject({ code: "TOOLKIT_MALFORMED" });
  });

  it("refuses a runtime that says another digest than the file of the layer has", async () => {
    const made = await testToolkit(([, node]) => [
      { digest: node?.digest ?? "", take: [take("usr/bin/node", "runtime/node", "another", true)] },
    ]);
    await expect(unpacked(made)).rejects.toMatchObject({ code: "TOOLKIT_MALFORMED" });
  });

  it("refuses a runtime that names a layer which the bundle lacks", async () => {
    const made = await testToolkit(() => [
      { digest: `sha256:${"0".repeat(64)}`, take: [take("usr/bin/node", "runtime/node")] },
    ]);
    await expect(unpacked(made)).rejects.toMatchObject({ code: "BUNDLE_NO_ENTRY" });
  });

  it("stops when it is cancelled", async () => {
    const made = await testToolkit();
    await expect(unpacked(made, undefined, AbortSignal.abort())).rejects.toMatchObject({ code: "BUNDLE_CANCELLED" });
  });
});

describe("parseRuntime", () => {
  const layer = { digest: `sha256:${"a".repeat(64)}`, take: [take("usr/bin/node", "runtime/node")] };

  it("takes what was rendered", () => {
    expect(parseRuntime(renderRuntime([layer])).layers).toEqual([layer]);
  });

  it.each([
    ["a way up", [take("usr/bin/node", "runtime/../../node")]],
    ["an absolute path", [take("usr/bin/node", "/usr/bin/node")]],
    ["a place that is not the runtime's", [take("usr/bin/node", "trustkern")]],
    ["a source with a way up", [take("../node", "runtime/node")]],
    ["no digest", [{ ...take("usr/bin/node", "runtime/node"), digest: "" }]],
    ["nothing to take", []],
  ])("refuses %s", (_, taken) => {
    const bytes = renderRuntime([{ ...layer, take: [...taken] }]);
    expect(() => parseRuntime(bytes)).toThrow(expect.objectContaining({ code: "TOOLKIT_MALFORMED" }));
  });

  it.each(["", "{}", "null", '{"schema":"trustkern.toolkit-runtime/2","layers":[]}'])("refuses %s", (text) => {
    expect(() => parseRuntime(Buffer.from(text))).toThrow(expect.objectContaining({ code: "TOOLKIT_MALFORMED" }));
  });
});

it.each([
  ["darwin", "arm64"],
  ["linux", "riscv64"],
  ["win32", "x64"],
])("makes no toolkit for %s on %s", (platform, arch) => {
  expect(() => platformOf(platform, arch)).toThrow(expect.objectContaining({ code: "TOOLKIT_INCOMPLETE" }));
});
