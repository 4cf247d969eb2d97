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
  "kube-score": "github.com/zegl/kube-score",
  "docker-compose": "github.com/docker/compose/v2",
  otelcol: "go.opentelemetry.io/collector/otelcol",
  unzstd: "github.com/klauspost/compress",
  coredns: "github.com/coredns/coredns",
  "kube-apiserver": "k8s.io/kubernetes",
  "kube-controller-manager": "k8s.io/kubernetes",
  "kube-scheduler": "k8s.io/kubernetes",
  kubelet: "k8s.io/kubernetes",
  "kube-proxy": "k8s.io/kubernetes",
  kubectl: "k8s.io/kubernetes",
} as const;

const OF_KUBERNETES = names.filter((name) => programs[name].module === "kubernetes");
/** A release of theirs has its version in its source. */
const CALLED_BY_ITS_SOURCE: readonly ToolName[] = ["tofu", "coredns"];

describe("programs", () => {
  it("have each a wrapper module, and no wrapper module lacks a program", () => {
    const folders = new Set(names.map((name) => basename(toolModule(TOOLS, name))));
    expect(readdirSync(TOOLS).sort()).toEqual([...folders].sort());
  });

  it.each(Object.entries(releases))("%s has the version that its go.mod requires", (name, module) => {
    expect(moduleOf(name as ToolName)).toContain(`${module} v${toolVersion(name as ToolName)}`);
  });

  it.each(names.filter((name) => !CALLED_BY_ITS_SOURCE.includes(name) && !OF_KUBERNETES.includes(name)))(
    "%s is stamped with the version that it is called by",
    (name) => {
      const stamped = programs[name].stamps.map((stamp) => stamp.slice(stamp.indexOf("=") + 1));
      expect(stamped).toEqual([toolVersion(name)]);
    },
  );

  it.each(OF_KUBERNETES)("%s is stamped with its version in both places where Kubernetes looks", (name) => {
    const [major, minor] = toolVersion(name).split(".");
    for (const stamped of ["k8s.io/client-go/pkg/version", "k8s.io/component-base/version"]) {
      expect(programs[name].stamps).toContain(`${stamped}.gitVersion=v${toolVersion(name)}`);
      expect(programs[name].stamps).toContain(`${stamped}.gitMajor=${major}`);
      expect(programs[name].stamps).toContain(`${stamped}.gitMinor=${minor}`);
    }
  });

  it.each(OF_KUBERNETES)("%s has each of its parts from the release that it is of", (name) => {
    const staging = toolVersion(name).replace(/^1\./, "v0.");
    const replaced = [...moduleOf(name).matchAll(/^\t?(?:replace )?(k8s\.io\/\S+) => (\S+) (\S+)$/gm)];
    expect(replaced.length).toBeGreaterThan(20);
    expect(replaced.filter(([, part, by, version]) => part !== by || version !== staging)).toEqual([]);
  });

  it.each(names)("%s has every dependency pinned by hash, and none from a folder of the machine", (name) => {
    expect(moduleOf(name)).not.toMatch(/=>\s+[./]/);
    if (!/^require /m.test(moduleOf(name))) return;
    expect(readFileSync(join(toolModule(TOOLS, name), "go.sum"), "utf8")).toMatch(/ h1:/);
  });

  it.each(names)("%s is named by a tool line, or its main package is in its module", (name) => {
    const { main } = programs[name];
    const lines = moduleOf(name).split("\n");
    expect(main === "." || lines.includes(`tool ${main}`) || lines.includes(`\t${main}`)).toBe(true);
  });
});
