import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backupOf, leftBehind, versionDir } from "../install/site.ts";
import { rowsOf, TestSite, testBundle } from "../install/test-site.ts";

let at: TestSite;
beforeEach(async () => {
  at = new TestSite();
  await at.bring("install", testBundle(1));
});
afterEach(() => at.remove());

const current = () => readlinkSync(at.site.currentLink);
const running = () => at.engine.state().running;

describe("bundle upgrade", () => {
  it("stops, copies the state cold, and then deploys the new version, which migrates", async () => {
    let runningWhileCopied: unknown = "nobody copied";
    const onProgress = (what: string) => {
      if (what.startsWith("copying")) runningWhileCopied = running();
    };
    const report = await at.bring("upgrade", testBundle(2), { onProgress });
    expect(report).toMatchObject({ kind: "upgrade", version: 2, from: 1 });
    expect([current(), running(), at.rows(), runningWhileCopied]).toEqual(["versions/2", 2, "1\n2\n", null]);
    const copy = join(backupOf(at.site, 1), "volumes", "database", "rows");
    expect([readFileSync(copy, "utf8"), lstatSync(backupOf(at.site, 1)).mode & 0o777]).toEqual(["1\n", 0o755]);
  });

  it("copies the state as it is now, and keeps nothing of a copy that an upgrade before has left", async () => {
    for (const name of ["gone", "deployment.json"]) {
      mkdirSync(backupOf(at.site, 1), { recursive: true });
      writeFileSync(join(backupOf(at.site, 1), name), "as it was then");
    }
    await at.bring("upgrade", testBundle(2));
    expect(readdirSync(backupOf(at.site, 1)).sort()).toEqual(["deployment.json", "volumes"]);
    expect(readFileSync(join(backupOf(at.site, 1), "deployment.json"), "utf8")).toBe("1");
  });

  it("stops again before it copies, where what was stopped runs again when it goes on", async () => {
    const [controller, ran] = [new AbortController(), [] as unknown[]];
    const abort = (what: string) => (what.startsWith("copying") ? controller.abort() : undefined);
    const cut = at.bring("upgrade", testBundle(2), { signal: controller.signal, onProgress: abort });
    await expect(cut).rejects.toMatchObject({ code: "BUNDLE_SITE_CANCELLED" });
    at.engine.write({ running: 1 });
    const onProgress = (what: string) => void (what.startsWith("copying") && ran.push(running()));
    expect(await at.bring("upgrade", testBundle(2), { onProgress })).toMatchObject({ resumed: true, version: 2 });
    expect(ran).toEqual([null]);
  });

  it("links what the version before has, and reads the rest alone", async () => {
    const bundle = testBundle(2);
    await at.bring("upgrade", bundle);
    const [one, two] = [1, 2].map((version) => lstatSync(join(versionDir(at.site, version), "docs/same.md")).ino);
    expect(one).toBe(two);
    const shared = bundle.manifest.files.find(({ path }) => path === "docs/same.md")?.digest;
    expect(bundle.read).not.toContain(shared);
  });

  it("does not link a file that has changed on the disk since", async () => {
    const file = join(versionDir(at.site, 1), "docs/same.md");
    const { size } = lstatSync(file);
    writeFileSync(file, Buffer.alloc(size, "rotten"));
    await at.bring("upgrade", testBundle(2));
    expect(readFileSync(join(versionDir(at.site, 2), "docs/same.md"), "utf8")).toMatch(/^shared/);
  });

  it("loads no layer that the engine has", async () => {
    at.engine.loaded.length = 0;
    await at.bring("upgrade", testBundle(2));
    expect(at.engine.loaded.filter((name) => name.endsWith("layer.tar"))).toHaveLength(2);
  });

  it("goes back by itself to the version and the state before, when the new one does not become well", async () => {
    at.failing.add(2);
    const failed = at.bring("upgrade", testBundle(2));
    await expect(failed).rejects.toMatchObject({ code: "BUNDLE_UPGRADE_UNDONE" });
    expect([current(), running(), at.rows()]).toEqual(["versions/1", 1, "1\n"]);
    expect(readFileSync(join(leftBehind(at.site, 2), "volumes", "database", "rows"), "utf8")).toBe("1\n2\n");
    expect(at.journal().at(-1)).toMatchObject({ event: "end", outcome: "old" });
  });

  it("goes back by itself when the new version was deployed and its status is not well", async () => {
    const { toolkit } = at.asked();
    const unwell = { ...toolkit, isWell: async (folder: string) => !folder.endsWith("/2") };
    const failed = at.bring("upgrade", testBundle(2), { toolkit: unwell });
    await expect(failed).rejects.toMatchObject({ code: "BUNDLE_UPGRADE_UNDONE" });
    expect([current(), running(), at.rows()]).toEqual(["versions/1", 1, "1\n"]);
  });

  it("goes back by itself when the copy cannot be made, on the state as it is", async () => {
    mkdirSync(at.site.backupDir, { recursive: true });
    rmSync(at.site.backupDir, { recursive: true });
    writeFileSync(at.site.backupDir, "a file is in the way");
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_UPGRADE_UNDONE" });
    expect([current(), running(), at.rows()]).toEqual(["versions/1", 1, "1\n"]);
  });

  it("has the next try begin anew after it went back, and keep nothing of the first", async () => {
    at.failing.add(2);
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_UPGRADE_UNDONE" });
    at.failing.clear();
    await at.bring("upgrade", testBundle(2));
    expect([current(), running(), at.rows()]).toEqual(["versions/2", 2, "1\n2\n"]);
    expect(readdirSync(at.site.backupDir)).toEqual(["1"]);
  });

  it("goes on with the way back by rollback when that was stopped too", async () => {
    at.failing.add(2).add(1);
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_WAY_BACK_STOPPED" });
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_RUN_OPEN" });
    at.failing.clear();
    expect(await at.back()).toMatchObject({ version: 1, resumed: true });
    expect([current(), running(), at.rows()]).toEqual(["versions/1", 1, "1\n"]);
  });

  it("keeps the version before and its copy, and takes older ones away with their images", async () => {
    await at.bring("upgrade", testBundle(2));
    await at.bring("upgrade", testBundle(3));
    expect([readdirSync(at.site.versionsDir).sort(), readdirSync(at.site.backupDir)]).toEqual([["2", "3"], ["2"]]);
    const kept = Object.keys(at.engine.state().tags).filter((tag) => tag.includes(":bundle-"));
    expect(kept.every((tag) => /-[23]$/.test(tag))).toBe(true);
    expect(Object.keys(at.engine.state().images)).toHaveLength(4);
  });

  it("refuses a version that is older than what is installed", async () => {
    await at.bring("upgrade", testBundle(3));
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_ROLLBACK" });
    expect([current(), running()]).toEqual(["versions/3", 3]);
  });

  it("refuses a site without a version", async () => {
    const empty = new TestSite();
    await expect(empty.bring("upgrade", testBundle(1))).rejects.toMatchObject({ code: "BUNDLE_NOT_INSTALLED" });
    empty.remove();
  });

  it("refuses another bundle while an upgrade that has stopped things is open, and takes it before that", async () => {
    const stop = at.engine.stop.bind(at.engine);
    const controller = new AbortController();
    at.engine.stop = async () => controller.abort();
    const cut = at.bring("upgrade", testBundle(2), { signal: controller.signal });
    await expect(cut).rejects.toMatchObject({ code: "BUNDLE_SITE_CANCELLED" });
    await expect(at.bring("upgrade", testBundle(3))).rejects.toMatchObject({ code: "BUNDLE_RUN_OPEN" });
    at.engine.stop = stop;
    expect(await at.bring("upgrade", testBundle(2))).toMatchObject({ resumed: true, version: 2 });
    at.engine.load = async () => {
      throw Object.assign(new Error("cannot connect"), { code: "DOCKER_UNREACHABLE" });
    };
    await expect(at.bring("upgrade", testBundle(3))).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
    expect([current(), running()]).toEqual(["versions/2", 2]);
    at.engine.load = Object.getPrototypeOf(at.engine).load.bind(at.engine);
    expect(await at.bring("upgrade", testBundle(4))).toMatchObject({ resumed: false, version: 4, from: 2 });
  });
});

describe("an upgrade that is given up before it stops anything", () => {
  const names = () => Object.keys(at.engine.state().tags).sort();
  const ours = (version: number) =>
    ["broker", "gateway"].flatMap((name) => [`trustkern/${name}:1.0.0`, `trustkern/${name}:bundle-${version}`]).sort();
  /** Cut when every image is loaded, before it stops anything. */
  const loaded = async (version: number) => {
    const controller = new AbortController();
    at.engine.load = async (archive) => {
      await Object.getPrototypeOf(at.engine).load.call(at.engine, archive);
      controller.abort();
    };
    await expect(at.bring("upgrade", testBundle(version), { signal: controller.signal })).rejects.toMatchObject({
      code: "BUNDLE_SITE_CANCELLED",
    });
    at.engine.load = Object.getPrototypeOf(at.engine).load.bind(at.engine);
  };
  const expectNamed = (version: number) => {
    const { tags } = at.engine.state();
    for (const name of ["broker", "gateway"])
      expect(tags[`trustkern/${name}:1.0.0`]).toBe(tags[`trustkern/${name}:bundle-${version}`]);
  };

  it("leaves the images' own names with the version that runs, until it is stopped", async () => {
    await loaded(2);
    expectNamed(1);
    expect(names()).toContain("trustkern/broker:bundle-2");
    await at.bring("upgrade", testBundle(2));
    expectNamed(2);
  });

  it("is taken back with its images, their names and its files, and nothing is stopped", async () => {
    await loaded(2);
    at.engine.remove = at.engine.stop = async () => expect.unreachable();
    expect(await at.back()).toMatchObject({ version: 1, steps: [] });
    expect([names(), running(), Object.keys(at.engine.state().images).length]).toEqual([ours(1), 1, 2]);
    expect([readdirSync(at.site.versionsDir), readdirSync(at.site.stagingDir)]).toEqual([["1"], []]);
  });

  it("gives way to another bundle, and keeps no name", async () => {
    await loaded(2);
    await at.bring("upgrade", testBundle(3));
    expectNamed(3);
    expect(names()).toEqual([...new Set([...ours(1), ...ours(3)])].sort());
  });

  it("gives way to the bundle that runs, and keeps no name", async () => {
    await loaded(2);
    expect(await at.bring("install", testBundle(1))).toMatchObject({ version: 1, steps: ["deploy"] });
    expect([names(), readdirSync(at.site.versionsDir)]).toEqual([ours(1), ["1"]]);
    await at.bring("upgrade", testBundle(3));
    expect(names()).toEqual([...new Set([...ours(1), ...ours(3)])].sort());
  });
});

describe("files of the version before", () => {
  const damage = (path: string): void => {
    const file = join(versionDir(at.site, 1), path);
    rmSync(file);
    writeFileSync(file, "#!/bin/sh\necho somebody else\n", { mode: 0o555 });
  };
  const program = "toolkit/bin/trustkern";

  it("are held against their manifest before an upgrade stops anything that it could not go back to", async () => {
    damage(program);
    at.engine.stop = async () => expect.unreachable();
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_VERSION_DAMAGED" });
    expect([running(), current()]).toEqual([1, "versions/1"]);
    at.engine.stop = Object.getPrototypeOf(at.engine).stop.bind(at.engine);
    expect(await at.bring("install", testBundle(1))).toMatchObject({ steps: ["stage", "place", "deploy"] });
    expect(readdirSync(at.site.stagingDir)).toEqual([]);
    await at.bring("upgrade", testBundle(2));
  });

  it("are held against it before a rollback stops anything", async () => {
    await at.bring("upgrade", testBundle(2));
    damage(program);
    at.engine.remove = async () => expect.unreachable();
    await expect(at.back()).rejects.toMatchObject({ code: "BUNDLE_VERSION_DAMAGED" });
    expect([running(), current()]).toEqual([2, "versions/2"]);
  });

  it("are not run where they change on the way back, which goes on with their own bundle and no other", async () => {
    await at.bring("upgrade", testBundle(2));
    const { toolkit } = at.asked();
    const onProgress = (what: string) => (what.startsWith("putting back") ? damage(program) : undefined);
    const never = { ...toolkit, deploy: async () => expect.unreachable() };
    await expect(at.back({ onProgress, toolkit: never })).rejects.toMatchObject({
      code: "BUNDLE_WAY_BACK_STOPPED",
      message: expect.stringContaining("is not what its bundle brought"),
    });
    for (const other of [testBundle(2), testBundle(1, { sharedBytes: 5 })])
      await expect(at.bring("install", other)).rejects.toMatchObject({
        ...{ code: "BUNDLE_RUN_OPEN", fix: expect.stringContaining("finish it with trustkern bundle rollback") },
      });
    const mended = await at.bring("install", testBundle(1));
    expect(mended).toMatchObject({ kind: "rollback", steps: ["stage", "place", "deploy-back"], resumed: true });
    expect([running(), current(), at.rows()]).toEqual([1, "versions/1", "1\n"]);
  });
});

describe("what is left over", () => {
  it("goes with the next command that succeeds, also where that changes nothing", async () => {
    for (const name of ["aside-7", "version-9", "backup-1"])
      mkdirSync(join(at.site.stagingDir, name), { recursive: true });
    expect(await at.bring("install", testBundle(1))).toMatchObject({ steps: [] });
    expect(readdirSync(at.site.stagingDir)).toEqual([]);
    await at.bring("upgrade", testBundle(2));
    mkdirSync(join(at.site.stagingDir, "aside-7"));
    await at.back();
    expect(readdirSync(at.site.stagingDir)).toEqual([]);
  });

  it("is one state at most that a way back has set aside, until an upgrade has succeeded", async () => {
    at.failing.add(2);
    for (const run of [2, 3]) {
      await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_UPGRADE_UNDONE" });
      expect(readdirSync(at.site.backupDir)).toEqual([`left-${run}`]);
    }
    at.failing.clear();
    await at.bring("upgrade", testBundle(2));
    expect(readdirSync(at.site.backupDir)).toEqual(["1"]);
  });
});

describe("bundle rollback", () => {
  it("brings back the version before with the state that it had, and keeps what it leaves", async () => {
    await at.bring("upgrade", testBundle(2));
    expect(await at.back()).toMatchObject({ kind: "rollback", version: 1, from: 2 });
    expect([current(), running(), at.rows()]).toEqual(["versions/1", 1, "1\n"]);
    expect(readFileSync(join(leftBehind(at.site, 3), "volumes", "database", "rows"), "utf8")).toBe("1\n2\n");
    const tags = at.engine.state().tags;
    expect(tags["trustkern/broker:1.0.0"]).toBe(tags["trustkern/broker:bundle-1"]);
  });

  it("lets the version that was left be brought again", async () => {
    await at.bring("upgrade", testBundle(2));
    await at.back();
    await at.bring("upgrade", testBundle(2));
    expect([current(), running(), at.rows()]).toEqual(["versions/2", 2, "1\n2\n"]);
  });

  it("refuses where nothing was replaced, and where it went back already", async () => {
    await expect(at.back()).rejects.toMatchObject({ code: "BUNDLE_NO_WAY_BACK" });
    await at.bring("upgrade", testBundle(2));
    await at.back();
    await expect(at.back()).rejects.toMatchObject({ code: "BUNDLE_NO_WAY_BACK" });
    expect([current(), running()]).toEqual(["versions/1", 1]);
  });

  it("refuses to touch the state when the copy is gone", async () => {
    await at.bring("upgrade", testBundle(2));
    rmSync(backupOf(at.site, 1), { recursive: true });
    await expect(at.back()).rejects.toMatchObject({ code: "BUNDLE_NO_WAY_BACK" });
    expect([current(), running(), at.rows()]).toEqual(["versions/2", 2, "1\n2\n"]);
  });

  it("only plans with a dry run", async () => {
    await at.bring("upgrade", testBundle(2));
    expect(await at.back({ dryRun: true })).toMatchObject({ planned: true, version: 1 });
    expect([current(), running(), existsSync(rowsOf(at.site))]).toEqual(["versions/2", 2, true]);
  });
});
