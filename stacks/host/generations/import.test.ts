import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planImport } from "./import.ts";
import { ModelPlace } from "./model-place.ts";
import type { OpenGenerations } from "./site.ts";

const IMPORT_KEY = "aa".repeat(8);
let model: ModelPlace;
beforeEach(() => {
  model = new ModelPlace();
});
afterEach(() => model.remove());

/** What an import would come to, of a package that says so of itself. */
const plan = (said: object = {}) => {
  const management = { call: async () => ({ keyId: IMPORT_KEY }) } as unknown as OpenGenerations["management"];
  const packaged = { keyId: "ff".repeat(8), tenant: "demo", importKeyId: IMPORT_KEY, ...said };
  return planImport({ place: model.place, management }, "demo", packaged);
};

describe("an import", () => {
  it("makes a generation next, and leaves one that is there as it is", async () => {
    expect(await plan()).toBe("next");
    expect(await plan({ keyId: model.active().keyId })).toBe("active");
    expect(await plan({ keyId: model.import("ceremony", "retired") })).toBe("retired");
    expect(model.steps).toBe(0);
  });

  it.each([
    ["another tenant", { tenant: "other" }],
    ["another custody's import key", { importKeyId: "bb".repeat(8) }],
  ])("is refused of a package for %s", async (_, said) => {
    await expect(plan(said)).rejects.toMatchObject({ code: "CUSTODY_PACKAGE_FOREIGN" });
  });

  it("is refused of a generation that was destroyed, with a fix that fits", async () => {
    const keyId = model.import("ceremony", "next");
    await model.place.custody.destroy(keyId);
    await expect(plan({ keyId })).rejects.toMatchObject({
      code: "CUSTODY_GENERATION_STATE",
      fix: expect.stringContaining("trustkern keys ceremony"),
    });
  });
});
