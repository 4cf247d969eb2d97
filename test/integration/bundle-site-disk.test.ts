import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rowsOf, TestSite, testBundle } from "../../operations/bundle/install/test-site.ts";
import { runProgram } from "../support/run.ts";

let folder = "";
let at: TestSite;

async function mounted(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram("mount", [...args]);
  if (code !== 0) throw new Error(stderr);
}

/** A site on a disk of its own; the engine is elsewhere. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tk-site-disk-"));
  at = new TestSite(folder);
  mkdirSync(at.site.dir);
  await mounted("-t", "tmpfs", "-o", "size=512k,mode=0755", "tmpfs", at.site.dir);
});
afterEach(async () => {
  await runProgram("umount", [at.site.dir]);
  rmSync(folder, { recursive: true, force: true });
});

const large = (version: number) => testBundle(version, { sharedBytes: 1_000_000 });

describe("a site's disk", () => {
  it("that fills up while files are staged leaves no version, and the install goes on when there is room", async () => {
    await expect(at.bring("install", large(1))).rejects.toMatchObject({ code: "BUNDLE_SITE_UNWRITABLE" });
    expect([existsSync(at.site.versionsDir), existsSync(at.site.currentLink)]).toEqual([false, false]);
    await mounted("-o", "remount,size=4m", at.site.dir);
    expect(await at.bring("install", large(1))).toMatchObject({ resumed: true, version: 1 });
    expect([at.engine.state().running, readdirSync(at.site.stagingDir)]).toEqual([1, []]);
  });

  it("that is read-only is refused, and nothing is written", async () => {
    await mounted("-o", "remount,ro", at.site.dir);
    await expect(at.bring("install", testBundle(1))).rejects.toMatchObject({ code: "BUNDLE_SITE_UNWRITABLE" });
    expect([readdirSync(at.site.dir), at.engine.state().images]).toEqual([[], {}]);
  });

  it("without room for the cold copy has an upgrade go back, and the old version runs on its own state", async () => {
    await at.bring("install", testBundle(1));
    const rows = rowsOf(at.site);
    mkdirSync(dirname(rows), { recursive: true });
    for (let file = 0; file < 25; file += 1) writeFileSync(join(dirname(rows), `more-${file}`), Buffer.alloc(10_000));
    const { bavail } = statfsSync(at.site.dir);
    let left = 0;
    const onProgress = (what: string) => {
      // The room of the copy that failed is the old version's again when it starts.
      if (what.startsWith("deploying version 1")) left = bavail - statfsSync(at.site.dir).bavail;
    };
    await expect(at.bring("upgrade", testBundle(2), { onProgress })).rejects.toMatchObject({
      code: "BUNDLE_UPGRADE_UNDONE",
    });
    expect([at.engine.state().running, at.rows(), readdirSync(at.site.stagingDir)]).toEqual([1, "1\n", []]);
    expect(left).toBeLessThan(20);
  });
});
