import { output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../../../model/findings.ts";
import { clusterArgs, planCluster } from "../../../test/support/pulumi.ts";
import { KUBERNETES_FILES } from "../../kubernetes/test-deployments.ts";
import type { PlannedObject } from "../planned-object.ts";
import type { Transform } from "../transform.ts";
import { box, COLLECTOR, TEMPLATE, WEAKENINGS } from "./test-weakenings.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into inputs as a program without types could
type Loose = any;

const args = clusterArgs(KUBERNETES_FILES["eu-hosted"]);
const plan = (transform: unknown) => planCluster({ ...args, transform: transform as Transform });
const { objects: plain } = planCluster(args);

function refused(transform: unknown) {
  try {
    plan(transform);
  } catch (thrown) {
    const findings = findingsOf(thrown).map(({ code, path }) => ({ code, path }));
    return { code: (thrown as { code: string }).code, findings };
  }
  return { code: "none", findings: [] };
}

/** A transform that changes a copy of one object. */
const editing =
  (id: string, edit: (inputs: Loose) => unknown): Transform =>
  (object) => {
    if (`${object.kind}/${object.name}` !== id) return undefined;
    const copy = structuredClone({ ...object }) as Loose;
    edit(copy.inputs);
    return copy;
  };

const name = (what: string) =>
  plain.find(({ kind, name: found }) => kind === "ConfigMap" && found.startsWith(what))?.name;

describe("a transform is refused that gives", () => {
  it.each(WEAKENINGS)("%s", (_, code, id, path, edit) => {
    const result = refused(editing(id, edit));
    expect(result.code).toBe("PULUMI_TRANSFORM_REFUSED");
    expect(result.findings).toContainEqual({ code, path });
  });

  it("another configuration, or one that may change", () => {
    const id = `ConfigMap/${name("collector-")}`;
    const inputs: Loose = plain.find((object) => `${object.kind}/${object.name}` === id)?.inputs;
    const [key] = Object.keys(inputs.data);
    expect(refused(editing(id, (i) => (i.data[key ?? ""] += " "))).findings).toEqual([
      { code: "OBJECT_CONFIG", path: `${id}.data.${key}` },
    ]);
    expect(refused(editing(id, (i) => (i.immutable = false))).findings).toEqual([
      { code: "OBJECT_CONFIG", path: `${id}.immutable` },
    ]);
  });

  it("a key, without saying it", () => {
    const key = ["-----BEGIN", "PRIVATE KEY-----"].join(" ");
    const { code, findings } = refused(editing(COLLECTOR, (i) => (box(i).env = [{ name: "K", value: key }])));
    expect(code).toBe("PULUMI_TRANSFORM_REFUSED");
    expect(findings.map((each) => each.code)).toContain("OBJECT_SECRET");
    expect(() => plan(editing(COLLECTOR, (i) => (box(i).env = [{ name: "K", value: key }])))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("PRIVATE KEY") }),
    );
  });

  it("several of them, all in one report", () => {
    const { findings } = refused(((object: Loose) => {
      if (object.kind !== "NetworkPolicy") return undefined;
      return { ...object, inputs: { ...object.inputs, spec: { podSelector: {}, policyTypes: [] } } };
    }) as Transform);
    const policies = plain.filter(({ kind }) => kind === "NetworkPolicy");
    expect(new Set(findings.map(({ path }) => path.split(".spec")[0]))).toEqual(
      new Set(policies.map(({ name: found }) => `NetworkPolicy/${found}`)),
    );
  });
});

describe("a transform may", () => {
  const changed = (id: string, edit: (inputs: Loose) => unknown) =>
    plan(editing(id, edit)).objects.find((object) => `${object.kind}/${object.name}` === id)?.inputs as Loose;

  it("leave an object as it is, by giving back nothing or the object itself", () => {
    expect(plan(() => undefined).objects).toEqual(plain);
    expect(plan((object: PlannedObject) => object).objects).toEqual(plain);
  });

  it("say that Pulumi waits for nothing, or for how long, and nothing else changes", () => {
    const own = { "pulumi.com/skipAwait": "true", "pulumi.com/timeoutSeconds": "1800" };
    const withOwn = (inputs: Loose) => {
      return { ...inputs, metadata: { ...inputs.metadata, annotations: { ...inputs.metadata.annotations, ...own } } };
    };
    const { objects } = plan((object: Loose) => ({ ...object, inputs: withOwn(object.inputs) }));
    expect(objects.map(({ inputs }) => inputs)).toEqual(plain.map(({ inputs }) => withOwn(inputs)));
  });

  it("give a container less", () => {
    const less = { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" };
    const inputs = changed(COLLECTOR, (i) => (box(i).resources = { requests: less, limits: { ...less } }));
    expect(box(inputs).resources).toEqual({ requests: less, limits: less });
  });

  it.each<[string, (resources: Loose) => unknown]>([
    ["more memory", (r) => (r.limits.memory = r.requests.memory = "64Gi")],
    ["more processors", (r) => (r.limits.cpu = r.requests.cpu = "64")],
    ["no memory at all", (r) => (r.limits.memory = r.requests.memory = "0Mi")],
    ["a limit above what is requested", (r) => (r.requests.memory = "1Mi")],
    ["no limit", (r) => delete r.limits],
    ["no limit of memory", (r) => delete r.limits.memory],
    ["a resource more", (r) => (r.limits["example.com/gpu"] = r.requests["example.com/gpu"] = "1")],
    ["a claim", (r) => (r.claims = [{ name: "gpu" }])],
    ["a number", (r) => (r.limits.cpu = r.requests.cpu = 1)],
    ["another form of a quantity", (r) => (r.limits.memory = r.requests.memory = "1e1")],
    ["thousandths of a byte", (r) => (r.limits.memory = r.requests.memory = "128m")],
    ["processors in mebibytes", (r) => (r.limits.cpu = r.requests.cpu = "1Mi")],
  ])("but not give %s", (_, edit) => {
    const { code, findings } = refused(editing(COLLECTOR, (i) => edit(box(i).resources)));
    expect(code).toBe("PULUMI_TRANSFORM_REFUSED");
    expect(findings.every((each) => each.path.startsWith(`${TEMPLATE}.containers[0].resources`))).toBe(true);
    expect(findings.map((each) => each.code)).toContain("OBJECT_LIMIT");
  });
});

describe("a transform that gives back no object", () => {
  it.each([
    ["another name", (object: Loose) => ({ ...object, name: "x" }), "StatefulSet/collector"],
    ["another kind", (object: Loose) => ({ ...object, kind: "Pod" }), "StatefulSet/collector"],
    ["no inputs", ({ kind, name: same }: Loose) => ({ kind, name: same }), "StatefulSet/collector"],
    ["options of Pulumi", (object: Loose) => ({ ...object, opts: { retainOnDelete: false } }), "StatefulSet/collector"],
  ])("%s", (_, transform, path) => {
    const { code, findings } = refused((object: Loose) =>
      object.name === "collector" && object.kind === "StatefulSet" ? transform(object) : undefined,
    );
    expect({ code, findings }).toEqual({ code: "PULUMI_TRANSFORM", findings: [{ code: "PULUMI_TRANSFORM", path }] });
  });

  it("but one with an Output, which nobody can check", () => {
    expect(refused(editing(COLLECTOR, () => undefined)).code).toBe("none");
    const transform = (object: Loose) =>
      object.kind === "StatefulSet" && object.name === "collector"
        ? { ...object, inputs: { ...object.inputs, spec: { ...object.inputs.spec, replicas: output(2) } } }
        : undefined;
    expect(refused(transform)).toEqual({
      code: "PULUMI_TRANSFORM",
      findings: [{ code: "PULUMI_VALUE_UNKNOWN", path: "StatefulSet/collector.spec.replicas" }],
    });
  });
});
