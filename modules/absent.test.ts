import { describe, expect, it } from "vitest";
import { PROFILE_NAMES } from "../model/deployment.ts";
import { defaultDeployment } from "../profiles/resolve.ts";
import { absentFindings } from "./absent.ts";
import { buildModel } from "./index.ts";
import { referencePlacement } from "./reference-placement.ts";

const inContainers = { ...defaultDeployment(), engine: "docker", gateways: ["gw-01", "gw-02"] } as const;
const built = buildModel(inContainers, referencePlacement(inContainers));
const without = (...names: string[]) => ({ components: built.components.filter(({ name }) => !names.includes(name)) });

describe.each(PROFILE_NAMES)("profile %s", (profile) => {
  const deployment = { ...inContainers, profile };

  it("misses nothing in a whole deployment, nor what it can do without", () => {
    expect(absentFindings(built, deployment)).toEqual([]);
    expect(absentFindings(without("grafana", "simulator"), deployment)).toEqual([]);
  });

  it("misses every other component, one by one", () => {
    const needed = built.components.map(({ name }) => name).filter((name) => !["grafana", "simulator"].includes(name));
    expect(needed.length).toBeGreaterThan(12);
    for (const name of needed) {
      expect(absentFindings(without(name), deployment).map(({ path }) => path)).toEqual([`components.${name}`]);
    }
  });

  it("names all that is missing at once, with what may be", () => {
    const found = absentFindings(without("custody-broker", "loki", "gw-02", "grafana"), deployment);
    expect(found.map(({ code, path }) => `${code} ${path}`)).toEqual([
      ...["custody-broker", "loki", "gw-02"].map((name) => `COMPONENT_ABSENT components.${name}`),
    ]);
    expect(found[0]?.message).toContain("grafana, simulator");
  });
});

it("asks a cluster for no logs of its own, and for all else", () => {
  const deployment = { ...inContainers, engine: "kubernetes", profile: "customer-tenant" } as const;
  const model = buildModel(deployment, referencePlacement(deployment));
  expect(model.components.map(({ name }) => name)).not.toContain("loki");
  expect(absentFindings(model, deployment)).toEqual([]);
  for (const gone of ["custody-broker", "prometheus", "schema", "gateways-ca", "gw-02"]) {
    const components = model.components.filter(({ name }) => name !== gone);
    expect(absentFindings({ components }, deployment).map(({ path }) => path)).toEqual([`components.${gone}`]);
  }
});

it("asks the embedded engine for no more than it has", () => {
  const embedded = defaultDeployment();
  const model = buildModel(embedded, referencePlacement(embedded));
  expect(absentFindings(model, embedded)).toEqual([]);
  expect(absentFindings({ components: [] }, embedded)).toHaveLength(7);
});
