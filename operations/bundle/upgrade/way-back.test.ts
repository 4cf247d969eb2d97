import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { versionDir } from "../install/site.ts";
import { TestSite, testBundle } from "../install/test-site.ts";

let at: TestSite;
beforeEach(async () => {
  at = new TestSite();
  await at.bring("install", testBundle(1));
});
afterEach(() => at.remove());

const current = () => readlinkSync(at.site.currentLink);
const running = () => at.engine.state().running;

describe("images of the version before", () => {
  /** As `docker image prune -a` does with those that no container uses. */
  const lose = (version: number): void => {
    const gone = new Set(testBundle(version).manifest.images.map(({ config }) => config));
    const { images, tags } = at.engine.state();
    const [left, named] = [Object.entries(images), Object.entries(tags)];
    at.engine.write({
      images: Object.fromEntries(left.filter(([id]) => !gone.has(id))),
      tags: Object.fromEntries(named.filter(([, id]) => !gone.has(id))),
    });
  };

  it("are looked for before an upgrade stops anything, and come back with their bundle", async () => {
    lose(1);
    at.engine.stop = async () => expect.unreachable();
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({
      code: "BUNDLE_VERSION_DAMAGED",
      message: expect.stringContaining("trustkern/broker:1.0.0 with sha256:"),
    });
    expect([running(), current()]).toEqual([1, "versions/1"]);
    at.engine.stop = Object.getPrototypeOf(at.engine).stop.bind(at.engine);
    await at.bring("install", testBundle(1));
    expect(await at.bring("upgrade", testBundle(2))).toMatchObject({ version: 2 });
  });

  it("are looked for before a rollback removes anything", async () => {
    await at.bring("upgrade", testBundle(2));
    lose(1);
    at.engine.remove = async () => expect.unreachable();
    await expect(at.back()).rejects.toMatchObject({
      code: "BUNDLE_VERSION_DAMAGED",
      fix: expect.stringContaining("nothing was stopped"),
    });
    expect([running(), current(), at.journal().at(-1)?.event]).toEqual([2, "versions/2", "end"]);
  });

  const loseFiles = () => rmSync(versionDir(at.site, 1), { recursive: true });
  it.each([
    ["images", () => lose(1), ["load", "load-back", "deploy-back"]],
    ["files", loseFiles, ["stage", "load", "place", "load-back", "deploy-back"]],
  ] as const)(
    "or its %s, lost on the way back, are put in place by its bundle, which finishes it",
    async (_, lost, steps) => {
      at.failing.add(2);
      const onProgress = (what: string) => (what.startsWith("putting back") ? lost() : undefined);
      const stopped = { code: "BUNDLE_WAY_BACK_STOPPED", fix: expect.stringContaining("bundle install FILE") };
      await expect(at.bring("upgrade", testBundle(2), { onProgress })).rejects.toMatchObject(stopped);
      await expect(at.back()).rejects.toMatchObject(stopped);
      expect(await at.bring("install", testBundle(1))).toMatchObject({ version: 1, steps });
      expect([current(), running(), at.rows()]).toEqual(["versions/1", 1, "1\n"]);
    },
  );

  it("do not keep an upgrade that has stopped things from its end, once they are lost", async () => {
    const controller = new AbortController();
    at.engine.stop = async () => {
      lose(1);
      controller.abort();
      throw new Error("cancelled");
    };
    await expect(at.bring("upgrade", testBundle(2), { signal: controller.signal })).rejects.toThrow("cancelled");
    at.engine.stop = Object.getPrototypeOf(at.engine).stop.bind(at.engine);
    expect(await at.bring("upgrade", testBundle(2))).toMatchObject({ resumed: true, version: 2 });
  });
});

describe("an upgrade that is gone on with", () => {
  const cutInDeploy = async () => {
    const controller = new AbortController();
    const { toolkit } = at.asked();
    const deploy = async () => {
      controller.abort();
      throw new Error("cut");
    };
    const cut = at.bring("upgrade", testBundle(2), { signal: controller.signal, toolkit: { ...toolkit, deploy } });
    await expect(cut).rejects.toMatchObject({ code: "BUNDLE_SITE_CANCELLED" });
  };

  it("goes back by itself too, whichever step fails", async () => {
    await cutInDeploy();
    const keep = new Set(testBundle(1).manifest.images.map(({ config }) => config));
    const images = Object.entries(at.engine.state().images).filter(([id]) => keep.has(id));
    at.engine.write({ images: Object.fromEntries(images) });
    at.engine.load = async () => {
      throw Object.assign(new Error("no space left"), { code: "BUNDLE_IMAGES_REFUSED" });
    };
    await expect(at.bring("upgrade", testBundle(2))).rejects.toMatchObject({ code: "BUNDLE_UPGRADE_UNDONE" });
    expect([current(), running(), at.rows()]).toEqual(["versions/1", 1, "1\n"]);
  });

  it("does not go back once it was well", async () => {
    const record = () => {
      throw new Error("not recorded");
    };
    const late = at.bring("upgrade", testBundle(2, { trusted: { record } }));
    await expect(late).rejects.toThrow("not recorded");
    expect([current(), running()]).toEqual(["versions/2", 2]);
  });
});

describe("a cold copy that is not finished", () => {
  const partial = () => join(at.site.stagingDir, "backup-1");
  /** Cancelled in the middle of it. */
  const cancelled = async () => {
    const controller = new AbortController();
    const watch = () => (existsSync(partial()) ? controller.abort() : setImmediate(watch));
    const onProgress = (what: string) => void (what.startsWith("copying") && watch());
    const cut = at.bring("upgrade", testBundle(2), { signal: controller.signal, onProgress });
    await expect(cut).rejects.toMatchObject({ code: "BUNDLE_SITE_CANCELLED" });
  };

  it("leaves no key behind when it is cancelled", async () => {
    await cancelled();
    expect(readdirSync(at.site.stagingDir).filter((name) => name.startsWith("backup"))).toEqual([]);
  });

  it("is gone, where the run was killed, before the version before starts again", async () => {
    await cancelled();
    mkdirSync(join(partial(), "volumes", "custody", "keys"), { recursive: true });
    const found: boolean[] = [];
    const onProgress = (what: string) => void (what.startsWith("deploying") && found.push(existsSync(partial())));
    expect(await at.back({ onProgress })).toMatchObject({ version: 1 });
    expect([found, running(), at.rows()]).toEqual([[false], 1, "1\n"]);
  });
});
