import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { manifestDigest } from "../format/manifest.ts";
import { type Bundle, openBundle } from "../format/read.ts";
import { removeFolders, testFolder } from "../format/test-bundle.ts";
import { testToolkit, writtenToolkit } from "../toolkit/test-toolkit.ts";
import { isPlaced } from "./place.ts";
import { siteOf, versionDir } from "./site.ts";
import { stageFiles } from "./stage.ts";
import { stageRuntime } from "./stage-runtime.ts";

const signal = new AbortController().signal;
const site = () => siteOf(folder);
const node = (version: number) => join(versionDir(site(), version), "toolkit/runtime/node");
let folder = "";
let bundle: Bundle;
beforeEach(async () => {
  folder = testFolder();
  bundle = await openBundle((await writtenToolkit(await testToolkit()))[0] ?? "");
  await stage(1);
});
afterEach(async () => {
  await bundle.close();
  removeFolders();
});

async function stage(version: number): Promise<void> {
  const others = [1, 2].filter((one) => one !== version).map((one) => versionDir(site(), one));
  const staging = { bundle, to: versionDir(site(), version), others, ownToolkit: undefined, signal };
  await stageFiles(staging);
  await stageRuntime(staging);
}

/** Has other bytes lie there, with the rights and the length that the file had. */
function tamper(file: string): void {
  const { mode, size } = statSync(file);
  rmSync(file);
  writeFileSync(file, Buffer.alloc(size, "x"), { mode });
}

describe("the runtime of a version", () => {
  it("is linked where another version has the same", async () => {
    await stage(2);
    expect([statSync(node(2)).ino, readFileSync(node(2), "utf8")]).toEqual([statSync(node(1)).ino, "#!/bin/sh\n"]);
  });

  it("takes nothing over that was changed, whatever a list beside it says, nor what is not in the signed list", async () => {
    tamper(node(1));
    const more = join(versionDir(site(), 1), "toolkit/runtime/lib-more.so");
    for (const [file, text] of [
      [more, "more"],
      [join(versionDir(site(), 1), "toolkit/runtime/SHA256SUMS.json"), "{}"],
    ] as const)
      writeFileSync(file, text);
    await stage(2);
    expect(readFileSync(node(2), "utf8")).toBe("#!/bin/sh\n");
    for (const name of ["lib-more.so", "SHA256SUMS.json"])
      expect(existsSync(join(versionDir(site(), 2), "toolkit/runtime", name))).toBe(false);
  });

  it("is put together anew where a cut run has left another", async () => {
    tamper(node(1));
    await stage(1);
    expect(readFileSync(node(1), "utf8")).toBe("#!/bin/sh\n");
  });
});

describe("a version that is placed", () => {
  const placed = () => isPlaced(site(), 1, manifestDigest(bundle.manifest));

  it("is whole", async () => {
    expect(await placed()).toBe(true);
    expect(await isPlaced(site(), 1, `sha256:${"0".repeat(64)}`)).toBe(false);
  });

  it.each(["toolkit/bin/tofu", "toolkit/providers/two.example/provider", "toolkit/trustkern", "toolkit/runtime/node"])(
    "is not, once %s has other bytes, or is gone",
    async (path) => {
      tamper(join(versionDir(site(), 1), path));
      expect(await placed()).toBe(false);
      rmSync(join(versionDir(site(), 1), path));
      expect(await placed()).toBe(false);
    },
  );

  it("is not, once its runtime has more than its list", async () => {
    writeFileSync(join(versionDir(site(), 1), "toolkit/runtime/few/libc.so.6"), "more");
    expect(await placed()).toBe(false);
  });
});
