import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestSite, testBundle } from "../install/test-site.ts";

let at: TestSite;
let controller: AbortController;
beforeEach(async () => {
  at = new TestSite();
  controller = new AbortController();
  await at.bring("install", testBundle(1));
});
afterEach(() => at.remove());

/** Ctrl-C reaches the docker client too, which ends with nothing on its standard error; and the process hears of it now, or later. */
const interrupted = (afterMs: number) => async (): Promise<never> => {
  if (afterMs === 0) controller.abort();
  else setTimeout(() => controller.abort(), afterMs).unref();
  throw Object.assign(new Error("docker stop 806d1cc2c1ac: "), { code: "DOCKER_FAILED" });
};
const CANCELLED = { code: "BUNDLE_SITE_CANCELLED", exit: 8 };
const asked = () => ({ signal: controller.signal });

describe("Ctrl-C while the site stands still", () => {
  it.each([0, 5])("is a cancel in the stop of an upgrade, and no failure: heard after %i ms", async (afterMs) => {
    at.engine.stop = interrupted(afterMs);
    const cut = at.bring("upgrade", testBundle(2), asked());
    const fix = expect.stringContaining("trustkern bundle rollback");
    await expect(cut).rejects.toMatchObject({ ...CANCELLED, message: "cancelled in the step stop", fix });
    at.engine.stop = Object.getPrototypeOf(at.engine).stop.bind(at.engine);
    expect(await at.bring("upgrade", testBundle(2))).toMatchObject({ version: 2, resumed: true });
  });

  it.each([0, 5])("is a cancel on the way back: heard after %i ms", async (afterMs) => {
    await at.bring("upgrade", testBundle(2));
    at.engine.remove = interrupted(afterMs);
    await expect(at.back(asked())).rejects.toMatchObject({ ...CANCELLED, message: "cancelled in the step remove" });
    at.engine.remove = Object.getPrototypeOf(at.engine).remove.bind(at.engine);
    expect(await at.back()).toMatchObject({ version: 1, resumed: true });
  });

  it("has another bundle told that the way back needs none", async () => {
    await at.bring("upgrade", testBundle(2));
    at.engine.remove = interrupted(0);
    await expect(at.back(asked())).rejects.toMatchObject(CANCELLED);
    await expect(at.bring("install", testBundle(2))).rejects.toMatchObject({
      ...{ code: "BUNDLE_RUN_OPEN", message: "the way back to version 1 is not done" },
      fix: expect.stringMatching(/^finish it with trustkern bundle rollback/),
    });
  });

  it("hides no failure of a step that nobody cancelled", async () => {
    at.engine.remove = at.engine.stop = interrupted(60_000);
    await expect(at.bring("upgrade", testBundle(2), asked())).rejects.toMatchObject({
      code: "BUNDLE_WAY_BACK_STOPPED",
      message: expect.stringContaining("docker stop"),
    });
  });
});
