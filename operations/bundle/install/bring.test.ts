import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MANIFEST_NAME, versionDir } from "./site.ts";
import { folderToolkit, TestSite, testBundle } from "./test-site.ts";

let at: TestSite;
beforeEach(() => {
  at = new TestSite();
});
afterEach(() => at.remove());

const steps = () => at.journal().flatMap((line) => (line.event === "step" && line.state === "done" ? [line.step] : []));
const staged = () => readdirSync(at.site.stagingDir);
const current = () => readlinkSync(at.site.currentLink);

describe("bundle install", () => {
  it("stages, loads, places, switches, deploys with the version's own toolkit, and leaves staging empty", async () => {
    const report = await at.bring("install", testBundle(1));
    expect(report).toMatchObject({ kind: "install", version: 1, from: null, resumed: false });
    expect(steps()).toEqual(["stage", "load", "place", "switch", "deploy", "record", "prune"]);
    expect([current(), staged(), at.engine.state().running]).toEqual(["versions/1", [], 1]);
  });

  it("writes each bytes once, read-only, and executable where the manifest says so", async () => {
    await at.bring("install", testBundle(1));
    const [one, two, text] = ["toolkit/mirror/one", "toolkit/mirror/two", "docs/same.md"].map((path) =>
      lstatSync(join(versionDir(at.site, 1), path)),
    );
    expect([one?.ino === two?.ino, one?.nlink]).toEqual([true, 2]);
    expect([one?.mode, text?.mode].map((mode = 0) => mode & 0o777)).toEqual([0o555, 0o444]);
  });

  it("does nothing, and writes nothing, when all is as it should be; every byte of the bundle is read once for that", async () => {
    await at.bring("install", testBundle(1));
    const before = readFileSync(at.site.journalFile, "utf8");
    const verify = vi.fn();
    const again = testBundle(1, { verify });
    expect(await at.bring("install", again)).toMatchObject({ steps: [], version: 1 });
    expect([readFileSync(at.site.journalFile, "utf8"), again.read]).toEqual([before, []]);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it("refuses a damaged bundle also where nothing would be taken from it, when the toolkit that it asked has ended", async () => {
    await at.bring("install", testBundle(1));
    const order: string[] = [];
    const verify = () => {
      order.push("damage found");
      throw Object.assign(new Error("a bit was flipped"), { code: "BUNDLE_DAMAGED" });
    };
    const isWell = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return order.push("toolkit has answered") > 0;
    };
    const toolkit = { ...folderToolkit(at.engine, at.site), isWell };
    const again = testBundle(1, { verify });
    await expect(at.bring("install", again, { toolkit })).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
    expect(order).toEqual(["damage found", "toolkit has answered"]);
  });

  it("reads a version again, whose files have their second names as copies, and mends one that is not whole", async () => {
    await at.bring("install", testBundle(1));
    const [one, two] = ["one", "two"].map((name) => join(versionDir(at.site, 1), "toolkit/mirror", name));
    rmSync(two ?? "");
    writeFileSync(two ?? "", readFileSync(one ?? ""), { mode: 0o555 });
    expect((await at.bring("install", testBundle(1))).steps).toEqual([]);
    rmSync(two ?? "");
    writeFileSync(two ?? "", "providex", { mode: 0o555 });
    expect((await at.bring("install", testBundle(1))).steps).toEqual(["stage", "place", "deploy"]);
  });

  it("mends a file whose rights somebody changed, with the bytes as they were", async () => {
    await at.bring("install", testBundle(1));
    for (const [path, mode] of [
      ["toolkit/bin/trustkern", 0o777],
      ["toolkit/bin/trustkern", 0o444],
      ["deployment/trustkern.yaml", 0o644],
    ] as const) {
      const file = join(versionDir(at.site, 1), path);
      const { mode: before } = lstatSync(file);
      chmodSync(file, mode);
      expect((await at.bring("install", testBundle(1))).steps).toEqual(["stage", "place", "deploy"]);
      expect(lstatSync(file).mode).toBe(before);
    }
  });

  it("loads anew the image that somebody removed, and of it the layer that is missing", async () => {
    await at.bring("install", testBundle(1));
    const { images, tags } = at.engine.state();
    const gone = tags["trustkern/gateway:1.0.0"] ?? "";
    const left = Object.fromEntries(Object.entries(images).filter(([id]) => id !== gone));
    at.engine.write({ images: left, tags: Object.fromEntries(Object.entries(tags).filter(([, id]) => id !== gone)) });
    at.engine.loaded.length = 0;
    const bundle = testBundle(1);
    expect((await at.bring("install", bundle)).steps).toEqual(["load", "deploy"]);
    expect(bundle.read).toHaveLength(2);
    expect(at.engine.loaded.filter((name) => name.endsWith("layer.tar"))).toHaveLength(1);
  });

  it("plans and touches nothing with a dry run", async () => {
    const report = await at.bring("install", testBundle(1), { dryRun: true });
    expect(report).toMatchObject({
      planned: true,
      steps: ["stage", "load", "place", "switch", "deploy", "record", "prune"],
    });
    expect(existsSync(at.site.dir)).toBe(false);
    await at.bring("install", testBundle(1));
    at.engine.write({ running: null });
    const before = [readdirSync(at.site.dir), staged(), readFileSync(at.site.journalFile, "utf8")];
    expect(await at.bring("install", testBundle(1), { dryRun: true })).toMatchObject({ steps: ["deploy"] });
    expect([readdirSync(at.site.dir), staged(), readFileSync(at.site.journalFile, "utf8")]).toEqual(before);
  });

  it.each([
    [
      "for another processor",
      testBundle(1, { manifest: { toolkit: { version: "1.0.0", platform: "linux-arm64" } } }),
      "BUNDLE_OTHER_MACHINE",
    ],
    ["that is a delta", testBundle(1, { manifest: { base: `sha256:${"0".repeat(64)}` } }), "BUNDLE_DELTA_ALONE"],
  ])("refuses a bundle %s, and makes no folder", async (_, bundle, code) => {
    await expect(at.bring("install", bundle)).rejects.toMatchObject({ code });
    expect(existsSync(at.site.dir)).toBe(false);
  });

  it("refuses damaged bytes, and writes nothing outside of staging", async () => {
    const damaged = testBundle(1, {
      verify: () => {
        throw Object.assign(new Error("a bit was flipped"), { code: "BUNDLE_DAMAGED" });
      },
    });
    await expect(at.bring("install", damaged)).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
    expect([readdirSync(at.site.dir), staged(), damaged.read]).toEqual([["staging"], [], []]);
  });

  it("holds every byte against the manifest before preflight unpacks any, also where only the deploy is gone on with", async () => {
    const order: string[] = [];
    const bundle = () => testBundle(1, { verify: () => order.push("verify") });
    const preflight = async () => {
      order.push("preflight");
    };
    at.failing.add(1);
    await expect(at.bring("install", bundle(), { preflight })).rejects.toMatchObject({ code: "BUNDLE_DEPLOY_FAILED" });
    at.failing.clear();
    expect(await at.bring("install", bundle(), { preflight })).toMatchObject({ steps: ["deploy", "record", "prune"] });
    expect(order).toEqual(["verify", "preflight", "verify", "preflight"]);
    const damaged = testBundle(2, {
      verify: () => {
        throw Object.assign(new Error("a bit was flipped"), { code: "BUNDLE_DAMAGED" });
      },
    });
    await expect(at.bring("upgrade", damaged, { preflight })).rejects.toMatchObject({ code: "BUNDLE_DAMAGED" });
    expect(order).toHaveLength(4);
  });

  it("refuses a machine that is not fit, and writes nothing outside of staging", async () => {
    const preflight = async () => {
      throw Object.assign(new Error("no room"), { code: "BUNDLE_PREFLIGHT" });
    };
    await expect(at.bring("install", testBundle(1), { preflight })).rejects.toMatchObject({ code: "BUNDLE_PREFLIGHT" });
    expect([readdirSync(at.site.dir), staged()]).toEqual([["staging"], []]);
  });

  it("refuses another version over one that is installed", async () => {
    await at.bring("install", testBundle(1));
    await expect(at.bring("install", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_INSTALLED" });
    expect(current()).toBe("versions/1");
  });

  it("leaves a deploy that failed to be gone on with, and stages nothing twice", async () => {
    at.failing.add(1);
    await expect(at.bring("install", testBundle(1))).rejects.toMatchObject({ code: "BUNDLE_DEPLOY_FAILED" });
    at.failing.clear();
    const again = testBundle(1);
    expect(await at.bring("install", again)).toMatchObject({ resumed: true, steps: ["deploy", "record", "prune"] });
    expect([again.read, at.engine.state().running]).toEqual([[], 1]);
  });

  it("takes another bundle in the place of a first one that was not deployed yet", async () => {
    at.engine.load = async () => {
      throw Object.assign(new Error("cannot connect"), { code: "DOCKER_UNREACHABLE" });
    };
    await expect(at.bring("install", testBundle(1))).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
    at.engine.load = Object.getPrototypeOf(at.engine).load.bind(at.engine);
    expect(await at.bring("install", testBundle(2))).toMatchObject({ version: 2, from: null });
    expect([current(), readdirSync(at.site.versionsDir)]).toEqual(["versions/2", ["2"]]);
  });

  it.each(["deploy", "record"])("refuses another bundle on the state of a first install cut in %s", async (step) => {
    const cut = () => {
      throw Object.assign(new Error("cut"), { code: "CUT" });
    };
    if (step === "deploy") at.failing.add(1);
    const first = at.bring(
      "install",
      testBundle(1, { trusted: { record: step === "record" ? cut : () => undefined } }),
    );
    await expect(first).rejects.toThrow();
    at.failing.clear();
    const before = readFileSync(at.site.journalFile, "utf8");
    for (const wish of ["install", "upgrade"] as const)
      await expect(at.bring(wish, testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_RUN_OPEN" });
    expect([readFileSync(at.site.journalFile, "utf8"), at.rows(), current()]).toEqual([before, "1\n", "versions/1"]);
    expect(await at.bring("install", testBundle(1))).toMatchObject({ resumed: true, version: 1 });
  });

  it("mixes nothing of another bundle of the same version into a version, which a cut run has left in staging", async () => {
    at.engine.load = async () => {
      throw Object.assign(new Error("cannot connect"), { code: "DOCKER_UNREACHABLE" });
    };
    await expect(at.bring("install", testBundle(1))).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
    at.engine.load = Object.getPrototypeOf(at.engine).load.bind(at.engine);
    const files = testBundle(1).manifest.files.filter(({ path }) => path !== "toolkit/mirror/two");
    expect(await at.bring("install", testBundle(1, { manifest: { files } }))).toMatchObject({ resumed: false });
    expect(readdirSync(join(versionDir(at.site, 1), "toolkit", "mirror"))).toEqual(["one"]);
  });

  it("goes on when the engine was down in the middle", async () => {
    const load = at.engine.load.bind(at.engine);
    at.engine.load = async () => {
      throw Object.assign(new Error("cannot connect"), { code: "DOCKER_UNREACHABLE" });
    };
    await expect(at.bring("install", testBundle(1))).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
    expect(existsSync(at.site.versionsDir)).toBe(false);
    at.engine.load = load;
    expect(await at.bring("install", testBundle(1))).toMatchObject({ resumed: true, version: 1 });
    expect(at.engine.state().running).toBe(1);
  });

  describe("that was cut between stage and place", () => {
    const file = () => join(at.site.stagingDir, "version-1", "deployment", "trustkern.yaml");
    beforeEach(async () => {
      at.engine.load = async () => {
        throw Object.assign(new Error("cannot connect"), { code: "DOCKER_UNREACHABLE" });
      };
      await expect(at.bring("install", testBundle(1))).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
      at.engine.load = Object.getPrototypeOf(at.engine).load.bind(at.engine);
    });

    it("goes on where staging was emptied since", async () => {
      rmSync(at.site.stagingDir, { recursive: true });
      expect(await at.bring("install", testBundle(1))).toMatchObject({ resumed: true, version: 1 });
    });

    it("places no file that has changed since", async () => {
      const before = readFileSync(file(), "utf8");
      rmSync(file());
      writeFileSync(file(), Buffer.alloc(before.length, "evil"), { mode: 0o444 });
      await at.bring("install", testBundle(1));
      expect(readFileSync(join(versionDir(at.site, 1), "deployment", "trustkern.yaml"), "utf8")).toBe(before);
    });
  });

  it("puts a version's folder together anew when its manifest is gone", async () => {
    await at.bring("install", testBundle(1));
    const file = join(versionDir(at.site, 1), MANIFEST_NAME);
    const bytes = readFileSync(file);
    writeFileSync(file, "{}");
    expect((await at.bring("install", testBundle(1))).steps).toEqual(["stage", "place", "deploy"]);
    expect(readFileSync(file)).toEqual(bytes);
  });

  it("decides on a bundle once more while nobody else can change the site", async () => {
    const assertStill = () => {
      expect(readdirSync(at.site.stagingDir)).toEqual(["lock"]);
      throw Object.assign(new Error("a newer one came"), { code: "BUNDLE_ROLLBACK" });
    };
    const late = at.bring("install", testBundle(1, { trusted: { assertStill } }));
    await expect(late).rejects.toMatchObject({ code: "BUNDLE_ROLLBACK" });
    expect([at.journal(), at.engine.state().images]).toEqual([[], {}]);
  });

  it("works for one at a time", async () => {
    await expect(
      at.bring("install", testBundle(1), { preflight: () => at.bring("install", testBundle(1)).then(() => undefined) }),
    ).rejects.toMatchObject({ code: "STATE_LOCKED" });
  });

  it("refuses a journal that it did not write", async () => {
    await at.bring("install", testBundle(1));
    writeFileSync(at.site.journalFile, '{"event":"end","run":7,"at":"now","outcome":"new"}\n');
    await expect(at.bring("install", testBundle(1))).rejects.toMatchObject({ code: "BUNDLE_JOURNAL_CORRUPT" });
  });
});
