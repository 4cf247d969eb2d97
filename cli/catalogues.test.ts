import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type ErrorEntry, EXIT } from "../shared/errors.ts";
import { allErrors } from "./catalogues.ts";
import { runCli } from "./test-io.ts";

const sources = globSync(
  "{certs,cli,custody,model,modules,operations,profiles,protocol,services,shared,stacks}/**/*.ts",
);
const catalogueFiles = sources.filter(
  (file) => !file.endsWith(".test.ts") && /= catalogue\(/.test(readFileSync(file, "utf8")),
);

describe("every catalogue", () => {
  it.each(catalogueFiles)("%s is one that explain knows", async (file) => {
    const module: Record<string, { entries?: Record<string, ErrorEntry> }> = await import(resolve(file));
    const catalogues = Object.values(module).filter((value) => value?.entries);
    expect(catalogues).not.toEqual([]);
    for (const { entries = {} } of catalogues) {
      for (const [code, entry] of Object.entries(entries)) expect(allErrors().get(code)?.exit, code).toBe(entry.exit);
    }
  });

  it("is found by this test", () => {
    expect(catalogueFiles).toEqual(expect.arrayContaining(["cli/errors.ts", "model/errors.ts", "shared/durations.ts"]));
  });
});

describe.each([...allErrors()])("%s", (code, { exit, summary, fix }) => {
  it("says what it means and what mends it", () => {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^CANCELLED$/);
    expect(summary.length).toBeGreaterThan(15);
    expect(fix.trim().length).toBeGreaterThan(5);
    expect(Object.values(EXIT)).toContain(exit);
  });
});

describe("explain", () => {
  it("prints summary, fix and exit code of any code, in either case", async () => {
    for (const code of ["CONFIG_INVALID", "config_invalid"]) {
      const { exit, stdout } = await runCli(["explain", code]);
      expect(exit).toBe(0);
      expect(stdout).toContain("CONFIG_INVALID");
      expect(stdout).toContain("exit code: 2");
    }
  });

  it("has one document with --json", async () => {
    const { stdout } = await runCli(["explain", "BOUNDARY_BROKEN", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "trustkern.explain/1", code: "BOUNDARY_BROKEN", exit: 5 });
  });

  it.each(["CONFIG_INVALD", "constructor", "__proto__", ""])("does not know %j: exit code 6", async (code) => {
    const { exit, stderr } = await runCli(["explain", code]);
    expect(exit).toBe(6);
    expect(stderr).toContain("CODE_UNKNOWN");
  });

  it("suggests the nearest code", async () => {
    expect((await runCli(["explain", "BOUNDRY_BROKEN"])).stderr).toContain("did you mean BOUNDARY_BROKEN?");
  });
});
