import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type ProvenanceRequest, provenanceOf } from "./provenance.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function project(goSum = "one h1:1\n"): string {
  const folder = mkdtempSync(join(tmpdir(), "tk-provenance-"));
  folders.push(folder);
  mkdirSync(join(folder, "tools", "tofu"), { recursive: true });
  writeFileSync(join(folder, "package-lock.json"), "{}");
  writeFileSync(join(folder, "tools", "tofu", "go.mod"), "module tofu\n");
  writeFileSync(join(folder, "tools", "tofu", "go.sum"), goSum);
  return folder;
}

const request = (projectDir: string): ProvenanceRequest => ({
  ...{ projectDir, version: "0.1.0", node: "26.10.0", tenant: "demo", deployment: "site", platform: "linux-x64" },
  inputs: new Map([["deployment/trustkern.yaml", Buffer.from("profile: air-gapped\n")]]),
  fetched: ["pkg:deb/debian/libc6@2.36", "pkg:deb/debian/libc6@2.36"],
});
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

describe("provenanceOf", () => {
  it("has what SLSA v1 asks of a predicate, and every lock file by its hash", () => {
    const { buildDefinition, runDetails } = JSON.parse(text(provenanceOf(request(project()))));
    expect(buildDefinition.buildType).toMatch(/^urn:uuid:/);
    expect(runDetails.builder.id).toMatch(/^urn:uuid:/);
    expect(buildDefinition.resolvedDependencies.map(({ uri }: { uri: string }) => uri)).toEqual([
      "deployment/trustkern.yaml",
      "package-lock.json",
      "pkg:deb/debian/libc6@2.36",
      "tools/tofu/go.mod",
      "tools/tofu/go.sum",
    ]);
  });

  it("has a Go module that requires no other, and so has no go.sum", () => {
    const folder = project();
    mkdirSync(join(folder, "tools", "pause"));
    writeFileSync(join(folder, "tools", "pause", "go.mod"), "module pause\n");
    const { buildDefinition } = JSON.parse(text(provenanceOf(request(folder))));
    const uris = buildDefinition.resolvedDependencies.map(({ uri }: { uri: string }) => uri);
    expect(uris.filter((uri: string) => uri.startsWith("tools/"))).toEqual([
      "tools/pause/go.mod",
      "tools/tofu/go.mod",
      "tools/tofu/go.sum",
    ]);
  });

  it("gives the same bytes wherever the project lies, without the path to it", () => {
    const [here, there] = [project(), project()];
    expect(provenanceOf(request(here))).toEqual(provenanceOf(request(there)));
    expect(text(provenanceOf(request(here)))).not.toContain(tmpdir());
  });

  it.each([
    ["a Go module more", { projectDir: project("two h1:2\n") }],
    ["another deployment file", { inputs: new Map([["deployment/trustkern.yaml", Buffer.from("profile: dev\n")]]) }],
    ["another tenant", { tenant: "other" }],
    ["another release", { version: "0.1.1" }],
  ])("gives other bytes for %s", (_, change) => {
    const before = request(project());
    expect(provenanceOf({ ...before, ...change })).not.toEqual(provenanceOf(before));
  });

  it("has neither time nor host in it", () => {
    expect(text(provenanceOf(request(project())))).not.toMatch(/started|finished|hostname|invocation/i);
  });
});
