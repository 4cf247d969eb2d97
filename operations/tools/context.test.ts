import { describe, expect, it } from "vitest";
import { defaultCacheDir, targetPlatform } from "./context.ts";

describe("defaultCacheDir", () => {
  it.each([
    [{ TRUSTKERN_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "/a"],
    [{ XDG_CACHE_HOME: "/b" }, "/b/trustkern"],
    [{}, "/home/me/.cache/trustkern"],
    [{ TRUSTKERN_CACHE: "", XDG_CACHE_HOME: "" }, "/home/me/.cache/trustkern"],
  ])("of %o is %s", (env, folder) => {
    expect(defaultCacheDir(env, "/home/me")).toBe(folder);
  });
});

describe("targetPlatform", () => {
  it("takes what GOOS and GOARCH say", () => {
    expect(targetPlatform({ GOOS: "darwin", GOARCH: "arm64" })).toEqual({ goos: "darwin", goarch: "arm64" });
  });

  it.each([
    { GOOS: "plan9", GOARCH: "amd64" },
    { GOOS: "linux", GOARCH: "x64" },
  ])("refuses %o", (env) => {
    expect(() => targetPlatform(env)).toThrow(expect.objectContaining({ code: "TOOL_PLATFORM_UNSUPPORTED" }));
  });
});
