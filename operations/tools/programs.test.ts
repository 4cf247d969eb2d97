import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { programs, type ToolName, toolModule, toolVersion } from "./programs.ts";

const TOOLS = join(import.meta.dirname, "..", "..", "tools");
const names = Object.keys(programs) as readonly ToolName[];
const moduleOf = (name: ToolName): string => readFileSync(join(toolModule(TOOLS, name), "go.mod"), "utf8");

/** The module of each program whose required version is its release. */
const releases = {
  tofu: "github.com/opentofu/opentofu",
  "step-ca": "github.com/smallstep/certificates",
  "step-ca-pkcs11": "github.com/smallstep/certificates",
  step: "github.com/smallstep/cli",
  loki: "github.com/grafana/loki/v3",
  cosign: "github.com/sigstore/cosign/v3",
  otelcol: "go.opentelemetry.io/collector/otelcol",
  unzstd: "github.com/klauspost/compress",
} as const;

describe("programs", () => {
  it("have each a wrapper module, and no wrapper module lacks a program", () => {
    const folders = new Set(names.map((name) => basename(toolModule(TOOLS, name))));
    expect(readdirSync(TOOLS).sort()).toEqual([...folders].sort());
  });

  it.each(Object.entries(releases))("%s has the version that its go.mod requires", (name, module) => {
    expect(moduleOf(name as ToolName)).toContain(`${module} v${toolVersion(name as ToolName)}`);
  });

  it.each(names.filter((name) => name !== "tofu"))("%s is stamped with the version that it is called by", (name) => {
    const stamped = programs[name].stamps.map((stamp) => stamp.slice(stamp.indexOf("=") + 1));
    expect(stamped).toEqual([toolVersion(name)]);
  });

  it.each(names)("%s has every dependency pinned by hash, and none from a folder of the machine", (name) => {
    expect(moduleOf(name)).not.toMatch(/=>\s+[./]/);
    expect(readFileSync(join(toolModule(TOOLS, name), "go.sum"), "utf8")).toMatch(/ h1:/);
  });

  it.each(names)("%s is named by a tool line, or its main package is in its module", (name) => {
    const { main } = programs[name];
    expect(main === "." || moduleOf(name).includes(`tool ${main}\n`)).toBe(true);
  });
});
