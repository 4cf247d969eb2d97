import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { removeFolders, testFolder } from "../operations/bundle/format/test-bundle.ts";
import { namedSite } from "./named-site.ts";

afterEach(removeFolders);

const none = { io: { cwd: "/" }, options: {} };

/** A site with version 2 in use. */
function siteWithToolkit(toolkit = "versions/2/toolkit"): string {
  const site = testFolder();
  mkdirSync(join(site, toolkit), { recursive: true });
  symlinkSync("versions/2", join(site, "current"));
  return site;
}

describe("namedSite", () => {
  it("is the one that is named, whosever toolkit runs", () => {
    const named = { io: { cwd: "/" }, options: { site: "/srv/plant" } };
    expect(namedSite(named, "demo", join(siteWithToolkit(), "versions/2/toolkit"))).toBe("/srv/plant");
  });

  it.each(["versions/2/toolkit", "current/toolkit"])("is the one that the toolkit %s lies in", (path) => {
    const site = siteWithToolkit();
    expect(namedSite(none, "demo", join(site, path))).toBe(site);
    expect(namedSite(none, undefined, join(site, path))).toBe(site);
  });

  it.each([
    ["that is unpacked beside a bundle", "trustkern-0.1.0"],
    ["that only lies deep enough", "versions/2/other"],
    ["that is in no version", "other/2/toolkit"],
  ])("is that of the deployment for a toolkit %s", (_, toolkit) => {
    const site = siteWithToolkit(toolkit);
    expect(namedSite(none, "demo", join(site, toolkit))).toBe("/opt/trustkern/demo");
    expect(() => namedSite(none, undefined, join(site, toolkit))).toThrow(
      expect.objectContaining({ code: "CLI_USAGE", path: "--site" }),
    );
  });

  it("is that of the deployment for a clone", () => {
    expect(namedSite(none, "demo", undefined)).toBe("/opt/trustkern/demo");
  });
});
