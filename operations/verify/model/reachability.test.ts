import { describe, expect, it } from "vitest";
import type { Model } from "../../../model/boundary.ts";
import type { Component } from "../../../model/component.ts";
import type { Deployment } from "../../../model/deployment.ts";
import type { Flow } from "../../../model/flow.ts";
import type { DataClass } from "../../../model/zones.ts";
import { buildModel } from "../../../modules/index.ts";
import { referencePlacement } from "../../../modules/reference-placement.ts";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { reachabilityFindings } from "./reachability.ts";

const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const modelOf = (deployment: Deployment) => buildModel(deployment, referencePlacement(deployment));
const real = modelOf(dev);

/** The real model with one flow more. */
const joined = (from: string, to: string, port: string, ...carries: DataClass[]): Model => {
  const flow: Flow = { from, to, port, protection: "mtls", carries };
  return { ...real, flows: [...real.flows, flow] };
};
/** The real model with a component changed. */
const changed = (name: string, change: Partial<Component>, { components, flows } = real) => ({
  flows,
  components: components.map((component) => (component.name === name ? { ...component, ...change } : component)),
});
const found = (model: Pick<Model, "components" | "flows">) =>
  reachabilityFindings(model).map(({ code, path }) => [code, path.split(".")[1]]);

it.each<[string, Deployment]>([
  ["docker", dev],
  ["docker without Grafana", { ...dev, images: { ...dev.images, grafana: "absent" } }],
  ["docker with upstream images", { ...dev, images: { ...dev.images, source: "registry" } }],
  ["embedded", resolveDeployment({ name: "demo", tenant: "acme", profile: "dev" })],
])("finds nothing in the model of %s", (_, deployment) => {
  expect(reachabilityFindings(modelOf(deployment))).toEqual([]);
});

describe("plaintext", () => {
  it("that a gateway fetches from the collector is named with the shortest path", () => {
    const [finding, ...more] = reachabilityFindings(joined("gw-01", "collector", "metrics", "plaintext"));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code: "BOUNDARY_CLASS_REACHES", path: "components.gw-01.holds" });
    expect(finding?.message).toContain("collector -metrics-> gw-01");
    expect(finding?.fix).toBe("keep plaintext off the flow collector -metrics-> gw-01");
  });

  it("reaches who is several flows away, and the flow that leaves the boundary is the one to mend", () => {
    const step = joined("backend", "collector", "metrics", "plaintext");
    const model = {
      ...step,
      flows: [...step.flows, ...joined("gw-01", "backend", "https", "plaintext").flows.slice(-1)],
    };
    const gateway = reachabilityFindings(model).find(({ path }) => path.includes("gw-01"));
    expect(gateway?.message).toContain("collector -metrics-> backend -https-> gw-01");
    expect(gateway?.fix).toBe("keep plaintext off the flow collector -metrics-> backend");
  });

  it("is a sensor's own, and no other's", () => {
    expect(found(joined("simulator", "broker", "mqtts", "plaintext"))).toEqual([["BOUNDARY_CLASS_REACHES", "broker"]]);
    expect(found(joined("simulator", "collector", "metrics", "plaintext"))).toEqual([
      ["BOUNDARY_CLASS_REACHES", "simulator"],
    ]);
  });

  it("at rest outside is named without any flow", () => {
    const holds = ["ciphertext", "plaintext"] as const;
    expect(found(changed("loki", { holds }))).toEqual([["BOUNDARY_CLASS_HELD", "loki"]]);
  });

  it("leaves with a component that leaves the boundary", () => {
    expect(found(changed("grafana", { zone: "operations" }))).toEqual([
      ["BOUNDARY_CLASS_HELD", "grafana"],
      ["BOUNDARY_CLASS_REACHES", "grafana"],
    ]);
  });

  it("that a component of the boundary gets and does not declare is named", () => {
    expect(found(changed("custody-broker", { holds: ["ciphertext", "metadata"] }))).toEqual([
      ["BOUNDARY_CLASS_UNDECLARED", "custody-broker"],
    ]);
  });

  it("in log lines that the engine carries reaches the shipper", () => {
    const flows = real.flows.map(
      (flow): Flow =>
        flow.from === "collector" && flow.byEngine ? { ...flow, carries: ["metadata", "plaintext"] } : flow,
    );
    expect(found({ ...real, flows })).toEqual([["BOUNDARY_CLASS_REACHES", "shipper"]]);
  });
});

describe("a decryption key", () => {
  it("that a gateway holds is named", () => {
    const holds = ["ciphertext", "metadata", "credential", "decryption-key"] as const;
    expect(found(changed("gw-01", { holds }))).toEqual([["BOUNDARY_CLASS_HELD", "gw-01"]]);
  });

  it("that a device holds is named: plaintext alone may be its own", () => {
    const holds = ["plaintext", "decryption-key"] as const;
    expect(found(changed("simulator", { holds }))).toEqual([["BOUNDARY_CLASS_HELD", "simulator"]]);
  });

  it("that custody hands out is followed to who does not declare it, and out of the boundary", () => {
    const flows = real.flows.map(
      (flow): Flow => (flow.port === "kem" ? { ...flow, carries: ["decryption-key"] } : flow),
    );
    const out = joined("gw-01", "collector", "metrics", "decryption-key").flows.slice(-1);
    const findings = reachabilityFindings({ ...real, flows: [...flows, ...out] });
    expect(findings.map(({ code, path }) => [code, path.split(".")[1]])).toEqual([
      ["BOUNDARY_CLASS_UNDECLARED", "custody-broker"],
      ["BOUNDARY_CLASS_UNDECLARED", "collector"],
      ["BOUNDARY_CLASS_REACHES", "gw-01"],
    ]);
    expect(findings.at(-1)?.message).toContain("custody -kem-> custody-broker -kem-> collector -metrics-> gw-01");
  });
});

it("takes a flow that carries metadata for no way at all", () => {
  expect(found(joined("gw-01", "collector", "metrics", "metadata"))).toEqual([]);
});
