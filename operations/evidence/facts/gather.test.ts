import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KeysOverview } from "../../../stacks/host/generations/overview.ts";
import { layoutOf } from "../../../stacks/host/layout.ts";
import { kubernetesLifeErrors } from "../../../stacks/kubernetes/life/errors.ts";
import { manifestFiles } from "../../../stacks/kubernetes/manifests.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../../stacks/kubernetes/test-deployments.ts";
import { clusterFactsSchema, dockerFactsSchema } from "../schema/facts-schema.ts";
import { clusterFacts } from "./cluster.ts";
import { dockerFacts } from "./docker.ts";
import { type EngineFacts, type FactsSubject, gatherFacts } from "./gather.ts";

const { deployment, model, images, plan } = testPlan(deploymentOf(KUBERNETES_FILES["customer-tenant"]));
const away = async (): Promise<never> => {
  throw kubernetesLifeErrors.error("CLUSTER_UNREACHABLE", "away");
};
const broken = async (): Promise<never> => {
  throw new TypeError("a bug");
};
const OVERVIEW: KeysOverview = {
  ...{ sealed: false, sealedBecause: null, verified: true, store: null, importKey: null, generations: [] },
  ...{ listed: true, rotation: null, schedule: [], sensors: null, unknown: [] },
};
const inCluster = (kubernetes: () => Promise<string> = async () => "v1.34.1"): EngineFacts =>
  clusterFacts({ rendered: { model, plan }, kubernetes });
const onDocker = (ask: () => Promise<string>): EngineFacts =>
  dockerFacts({ stack: { b: 1, a: 2 }, terraform: ask, dockerEngine: ask });

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-gather-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function factsOf(changes: Partial<FactsSubject> = {}) {
  const ledger = { revocations: () => [], records: () => [] };
  const site = { layout: layoutOf(dir, tmpdir()), model: { components: [] }, pki: { ledger, leafFiles: () => [] } };
  const { facts } = await gatherFacts({
    ...{ deployment, lines: [], model, images, at: new Date(0), versions: { toolkit: "0.1.0", node: "v26.10.0" } },
    site: site as unknown as FactsSubject["site"],
    engine: inCluster(),
    keys: async () => OVERVIEW,
    operators: async () => [],
    ...changes,
  });
  return facts;
}

describe("facts of a cluster", () => {
  it("are those of its form, with what somebody else runs", async () => {
    const facts = await factsOf();
    expect(clusterFactsSchema.parse(facts)).toEqual(facts);
    expect(dockerFactsSchema.safeParse(facts).success).toBe(false);
    expect(facts).toMatchObject({ engine: "kubernetes", namespace: "plant", unknown: [] });
    expect(clusterFactsSchema.parse(facts).elsewhere.map(({ component }) => component)).toContain("database");
  });

  it("have the digest of every object, in order, and another one for another object", async () => {
    const text = Object.values(manifestFiles(plan)).join("---\n");
    const { stack } = await factsOf();
    expect(stack).toBe(createHash("sha256").update(text).digest("hex"));
    const fewer = clusterFacts({
      rendered: { model, plan: { ...plan, objects: plan.objects.slice(1) } },
      kubernetes: async () => "v1.34.1",
    });
    expect((await factsOf({ engine: fewer })).stack).not.toBe(stack);
  });

  it("name all that did not answer, each with its code", async () => {
    const facts = await factsOf({ engine: inCluster(away), keys: away, operators: away });
    const code = "CLUSTER_UNREACHABLE";
    expect(facts.unknown).toEqual([
      { fact: "kubernetes", code },
      { fact: "keys", code },
      { fact: "fleet", code },
    ]);
    expect(facts).toMatchObject({ versions: { kubernetes: null }, keys: { sealed: null } });
    expect(facts.administrators.operatorCertificatesOfBackend).toBeNull();
    expect(clusterFactsSchema.safeParse(facts).success).toBe(true);
  });

  it("do not pass a sealed custody's generations off as none", async () => {
    const facts = await factsOf({ keys: async () => ({ ...OVERVIEW, sealed: true, verified: false, listed: false }) });
    expect(facts.keys).toMatchObject({ sealed: true, verified: false, generations: [] });
    expect(facts.unknown).toEqual([{ fact: "keys", code: "CUSTODY_SEALED" }]);
  });

  it("are none where a bug of ours is in the way", async () => {
    await expect(factsOf({ engine: inCluster(broken) })).rejects.toThrow("a bug");
    await expect(factsOf({ keys: broken })).rejects.toThrow("a bug");
  });
});

describe("facts of docker", () => {
  it("are those of its form, and name no engine", async () => {
    const facts = await factsOf({ engine: onDocker(async () => "1.2.3") });
    expect(dockerFactsSchema.parse(facts)).toEqual(facts);
    expect(clusterFactsSchema.safeParse(facts).success).toBe(false);
    expect(facts).toMatchObject({ versions: { terraform: "1.2.3", dockerEngine: "1.2.3" }, unknown: [] });
    expect(facts.stack).toBe(createHash("sha256").update('{\n  "a": 2,\n  "b": 1\n}\n').digest("hex"));
  });

  it("name what did not answer", async () => {
    const facts = await factsOf({ engine: onDocker(away) });
    expect(facts.unknown.map(({ fact }) => fact)).toEqual(["terraform", "docker"]);
    expect(facts).toMatchObject({ versions: { terraform: null, dockerEngine: null } });
  });
});
