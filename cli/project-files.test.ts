import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cloneFiles, launcherOf, needsClone, projectFiles, withOwnTofu } from "./project-files.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-project-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("projectFiles", () => {
  it("are those of a clone where the sources run", () => {
    const { root, toolsDir, launcher } = cloneFiles("this test");
    expect(projectFiles.kind).toBe("clone");
    expect([join(root, "package.json"), join(toolsDir, "unzstd", "go.mod"), launcher].map(existsSync)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("leave a clone with whatever OpenTofu its machine has", () => {
    const env = { PATH: "/usr/bin" };
    expect(withOwnTofu(env)).toBe(env);
  });
});

describe("launcherOf", () => {
  const site = join(folder, "site");
  const toolkit = join(site, "versions", "3", "toolkit");
  mkdirSync(toolkit, { recursive: true });
  writeFileSync(join(toolkit, "trustkern"), "");

  it("is the toolkit's own before its version is in use", () => {
    expect(launcherOf(toolkit)).toBe(join(toolkit, "trustkern"));
  });

  it("follows the version in use, so that an upgrade leaves no unit behind", () => {
    symlinkSync("versions/3", join(site, "current"));
    expect(launcherOf(toolkit)).toBe(join(site, "current", "toolkit", "trustkern"));
  });

  it("is the toolkit's own elsewhere", () => {
    expect(launcherOf("/media/usb/trustkern-0.1.0")).toBe("/media/usb/trustkern-0.1.0/trustkern");
  });
});

it("says who can do what a toolkit cannot", () => {
  expect(needsClone("images build")).toMatchObject({ code: "CLI_NEEDS_CLONE" });
});
