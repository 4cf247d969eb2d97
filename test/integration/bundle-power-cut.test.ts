import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SiteReport } from "../../operations/bundle/install/bring.ts";
import { historyOf } from "../../operations/bundle/install/history.ts";
import { storedFiles } from "../../operations/bundle/install/stage.ts";
import { sha256, TestSite, testBundle } from "../../operations/bundle/install/test-site.ts";

/** What changes a disk: the power may fail before each. */
const CHANGING = vi.hoisted(() => [
  ...["copyFileSync", "fsyncSync", "linkSync", "mkdirSync", "renameSync", "rmSync", "symlinkSync", "writeFileSync"],
  "writeSync",
]);
/** Calls that are left until the power fails; what is called after that does nothing. */
const power = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));

vi.mock(import("node:fs"), async (original) => {
  const real = await original();
  const failing = CHANGING.map((name) => {
    const call = real[name as "rmSync"] as unknown as (...args: readonly unknown[]) => unknown;
    const failingCall = (...args: readonly unknown[]) => {
      power.left -= 1;
      if (power.left < 0) throw new Error("the power failed");
      return call(...args);
    };
    return [name, failingCall];
  });
  return { ...real, ...Object.fromEntries(failing) };
});

let at: TestSite;
beforeEach(() => {
  power.left = Number.POSITIVE_INFINITY;
  at = new TestSite();
});
afterEach(() => {
  power.left = Number.POSITIVE_INFINITY;
  at.remove();
});

/** Whatever is at hand after a cut: a version is whole or not there, a copy too, and what runs is one version with its own rows. */
function expectNoMix(): void {
  const { site, engine } = at;
  for (const version of existsSync(site.versionsDir) ? readdirSync(site.versionsDir) : []) {
    const { manifest } = testBundle(Number(version));
    for (const { digest, paths } of storedFiles(manifest))
      for (const path of paths) expect(sha256(readFileSync(join(site.versionsDir, version, path)))).toBe(digest);
  }
  const backups = existsSync(site.backupDir) ? readdirSync(site.backupDir).filter((name) => /^\d+$/.test(name)) : [];
  for (const name of backups) {
    const rows = readFileSync(join(site.backupDir, name, "volumes", "database", "rows"), "utf8");
    expect(rows.trim().split("\n").at(-1)).toBe(name);
  }
  const { running } = engine.state();
  if (running !== null) {
    expect(readlinkSync(site.currentLink)).toBe(`versions/${running}`);
    expect(at.rows().trim().split("\n").at(-1)).toBe(`${running}`);
  }
}

/** Cuts the power before each change in turn, looks, and has the work gone on with; gives how many cuts there were. */
async function cutEverywhere(
  before: () => Promise<unknown>,
  work: () => Promise<SiteReport>,
  goOn: () => Promise<unknown>,
  after: () => void,
): Promise<number> {
  for (let cut = 0; ; cut += 1) {
    at.remove();
    at = new TestSite();
    await before();
    power.left = cut;
    const failed = await work().then(
      () => false,
      () => true,
    );
    power.left = Number.POSITIVE_INFINITY;
    if (!failed) return cut;
    // Its process is gone.
    rmSync(at.site.lockFile, { force: true });
    expectNoMix();
    await goOn();
    expectNoMix();
    after();
    expect(historyOf(at.journal()).open).toBeUndefined();
  }
}

const runs = (version: number, rows: string) => () => {
  expect([at.engine.state().running, at.rows()]).toEqual([version, rows]);
  expect(readdirSync(at.site.stagingDir)).toEqual([]);
};

describe("power that fails before any change to the disk", () => {
  it("leaves an install that is gone on with to its end", async () => {
    const install = () => at.bring("install", testBundle(1));
    expect(await cutEverywhere(async () => undefined, install, install, runs(1, "1\n"))).toBeGreaterThan(50);
  }, 170_000);

  it("leaves the old version or the new one of an upgrade, and is gone on with", async () => {
    const upgrade = () => at.bring("upgrade", testBundle(2));
    const before = () => at.bring("install", testBundle(1));
    expect(await cutEverywhere(before, upgrade, upgrade, runs(2, "1\n2\n"))).toBeGreaterThan(60);
  }, 170_000);

  it("lets a person go back from anywhere in an upgrade", async () => {
    const before = () => at.bring("install", testBundle(1));
    const upgrade = () => at.bring("upgrade", testBundle(2));
    const back = async () => {
      // Before its journal begins there is nothing to go back from, and after its end there is the copy.
      await at.back().catch((thrown) => expect(thrown).toMatchObject({ code: "BUNDLE_NO_WAY_BACK" }));
    };
    const old = () => expect([at.engine.state().running, at.rows()]).toEqual([1, "1\n"]);
    expect(await cutEverywhere(before, upgrade, back, old)).toBeGreaterThan(60);
  }, 170_000);

  it("does not keep an upgrade that fails from going back", async () => {
    const before = async () => {
      await at.bring("install", testBundle(1));
      at.failing.add(2);
    };
    const upgrade = () => at.bring("upgrade", testBundle(2));
    const again = async () => {
      const open = historyOf(at.journal()).open;
      if (open?.back !== undefined) await at.back();
      else await upgrade().catch((thrown) => expect(thrown).toMatchObject({ code: "BUNDLE_UPGRADE_UNDONE" }));
    };
    const old = () => expect([at.engine.state().running, at.rows()]).toEqual([1, "1\n"]);
    const cuts = cutEverywhereFailing(before, upgrade, again, old);
    expect(await cuts).toBeGreaterThan(60);
  }, 170_000);

  it("leaves a rollback that is gone on with to its end", async () => {
    const before = async () => {
      await at.bring("install", testBundle(1));
      await at.bring("upgrade", testBundle(2));
    };
    const back = () => at.back();
    // After its end there is nothing to go on with.
    const again = () => back().catch((thrown) => expect(thrown).toMatchObject({ code: "BUNDLE_NO_WAY_BACK" }));
    const old = () => expect([at.engine.state().running, at.rows()]).toEqual([1, "1\n"]);
    expect(await cutEverywhere(before, back, again, old)).toBeGreaterThan(15);
  }, 170_000);
});

/** {@link cutEverywhere} for work that ends with BUNDLE_UPGRADE_UNDONE when nothing cuts it. */
function cutEverywhereFailing(
  before: () => Promise<unknown>,
  work: () => Promise<SiteReport>,
  goOn: () => Promise<unknown>,
  after: () => void,
): Promise<number> {
  const undone = async () => {
    const thrown: unknown = await work().catch((error: unknown) => error);
    if (power.left >= 0 && (thrown as { code?: string }).code === "BUNDLE_UPGRADE_UNDONE") return {} as SiteReport;
    throw thrown;
  };
  return cutEverywhere(before, undone, goOn, after);
}
