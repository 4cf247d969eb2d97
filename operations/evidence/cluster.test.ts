import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { PROFILES } from "../../profiles/index.ts";
import { profileLines } from "../../profiles/lines.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../stacks/kubernetes/test-deployments.ts";
import { administratorsOfFile, factsOfFile } from "./facts/deployment.ts";
import { elsewhereIn } from "./facts/elsewhere.ts";
import { assurancesOf, linesOf } from "./facts/profile.ts";
import type { ClusterFacts } from "./schema/facts-schema.ts";
import type { Statement } from "./schema/statement.ts";
import { sealStatement } from "./seal.ts";
import { testClusterEvidence, testClusterFacts, testClusterVerification } from "./test-cluster-evidence.ts";
import { SIGNED_AT, type TestEvidence, TOOLKIT, testEvidence, testFacts } from "./test-evidence.ts";
import { openEvidence } from "./verify/open.ts";
import { verifyEvidence } from "./verify/verify.ts";

let good: TestEvidence;
let ofDocker: TestEvidence;
beforeAll(async () => {
  good = await testClusterEvidence();
  ofDocker = await testEvidence({ signer: good.signer });
});

type Loose = { [member: string]: Loose } & unknown[];

/** The codes that a statement is refused with, once it was changed and signed again with the good key. */
async function refusals(change: (statement: Statement) => void, of: TestEvidence = good): Promise<readonly string[]> {
  const statement = structuredClone(of.statement);
  change(statement);
  const file = Buffer.from(await sealStatement(statement, good.signer));
  return codesOf(file);
}
function codesOf(file: Buffer): readonly string[] {
  const check = { file, key: good.key, at: SIGNED_AT, toolkit: TOOLKIT, pageOf: () => undefined };
  return [...new Set(verifyEvidence(check).findings.map(({ code }) => code))];
}
const cluster = ({ predicate }: Statement): ClusterFacts => predicate.facts as ClusterFacts;

describe("evidence of a cluster", () => {
  it("is of the second form, which names its engine, and verifies", () => {
    const { predicate } = good.statement;
    expect(predicate).toMatchObject({
      schema: "trustkern.evidence/2",
      verdict: "not-proven",
      facts: { engine: "kubernetes", namespace: "plant", versions: { kubernetes: "v1.34.1" } },
    });
    expect(codesOf(good.file)).toEqual([]);
  });

  it("has the objects of the export as a subject, and no Terraform", () => {
    const names = good.statement.subject.map(({ name }) => name);
    expect(names).toContain("manifests.yaml");
    expect(names).not.toContain("cdk.tf.json");
  });

  it("names what somebody else runs, with its zone and what it may hold", () => {
    expect(cluster(good.statement).elsewhere.map(({ component, zone, host }) => [component, zone, host])).toEqual([
      ["loki", "operations", "loki.monitoring.svc"],
      ["prometheus", "operations", "prometheus.monitoring.svc"],
      ["database", "decryption", "rows.internal"],
      ["grafana", "decryption", null],
    ]);
  });

  it.each(["eu-hosted", "customer-tenant", "air-gapped"] as const)("verifies of profile %s", async (profile) => {
    expect(await ofProfile(profile)).toEqual([]);
  });

  it.each<[string, Partial<ClusterFacts>]>([
    ["other networks than the line says", { publishedTo: ["10.9.0.0/16"] }],
    ["fewer networks than the line says", { publishedTo: [] }],
    ["a certificate authority that is here, by its image alone", { elsewhere: [] }],
  ])("of a site is refused with %s", async (_, changes) => {
    expect(await ofProfile("air-gapped", changes)).toEqual(["EVIDENCE_INCONSISTENT"]);
  });

  it("of a site is refused with networks that no line names", async () => {
    expect(await ofProfile("air-gapped", {}, "nothing is said")).toEqual(["EVIDENCE_INCONSISTENT"]);
  });

  it.each<[string, (statement: Statement) => void]>([
    ["another engine that was looked at", (s) => (s.predicate.verification.engine = "docker")],
    [
      "another engine that a line of the profile says too",
      (s) => {
        s.predicate.verification.engine = "docker";
        s.predicate.facts.profileLines.find(({ path }) => path === "engine")!.value = "docker";
      },
    ],
    ["objects of another digest", (s) => (s.predicate.facts.stack = "0".repeat(64))],
    [
      "a stack of Terraform for a subject",
      (s) => (s.subject.find(({ name }) => name === "manifests.yaml")!.name = "cdk.tf.json"),
    ],
    ["a database that nobody runs", (s) => void cluster(s).elsewhere.splice(2, 1)],
    ["a part elsewhere twice", (s) => cluster(s).elsewhere.push(cluster(s).elsewhere[0]!)],
    ["a database in operations", (s) => (cluster(s).elsewhere[2]!.zone = "operations")],
    ["a database that holds nothing", (s) => (cluster(s).elsewhere[2]!.holds = [])],
    ["dashboards that hold keys", (s) => cluster(s).elsewhere[3]!.holds.push("decryption-key")],
    ["a database in another region", (s) => (cluster(s).elsewhere[2]!.region = "eu-west-3")],
    ["custody's image left out", (s) => withoutImage(s, "custody")],
    [
      "custody by another image, which reaches no pod",
      (s) => (s.predicate.facts.images.find(({ name }) => name === "custody")!.name = "custody-tpm2"),
    ],
    ["egress not asked for", (s) => Object.assign(resultOf(s, "running.egress"), { outcome: "not-required" })],
    ["packets that are let be reported", (s) => (resultOf(s, "data.traffic").reportOnly = true)],
  ])("is refused with %s", async (_, change) => {
    expect(await refusals(change)).toEqual(["EVIDENCE_INCONSISTENT"]);
  });

  it.each<[string, (facts: Loose, predicate: Loose) => void]>([
    ["the number of the first form", (_, predicate) => Object.assign(predicate, { schema: "trustkern.evidence/1" })],
    ["a number that there is none of", (_, predicate) => Object.assign(predicate, { schema: "trustkern.evidence/3" })],
    ["no engine", (facts) => void delete facts.engine],
    ["the engine docker", (facts) => Object.assign(facts, { engine: "docker" })],
    ["no namespace", (facts) => void delete facts.namespace],
    ["no parts elsewhere, not even none", (facts) => void delete facts.elsewhere],
    ["a part elsewhere that has to be here", (facts) => Object.assign(facts.elsewhere![0]!, { component: "custody" })],
    ["a version of Docker", (facts) => Object.assign(facts.versions!, { dockerEngine: "28.1.0" })],
    ["no version of Kubernetes, and no null", (facts) => void delete facts.versions!.kubernetes],
    ["an unknown fact of docker", (facts) => Object.assign(facts, { unknown: [{ fact: "docker", code: "X_Y" }] })],
  ])("is not signed with %s", async (_, change) => {
    const statement = structuredClone(good.statement) as unknown as Loose;
    change(statement.predicate!.facts!, statement.predicate!);
    await expect(async () => sealStatement(statement as unknown as Statement, good.signer)).rejects.toThrow();
  });

  it("says what could not be had", async () => {
    const facts = testClusterFacts({
      versions: { ...testClusterFacts().versions, kubernetes: null },
      unknown: [{ fact: "kubernetes", code: "CLUSTER_UNREACHABLE" }],
    });
    const { evidence } = await testClusterEvidence({ facts });
    expect(evidence.page).toContain("<li>kubernetes: <code>CLUSTER_UNREACHABLE</code></li>");
    expect(evidence.page).toContain("not known");
  });
});

describe("the page and the summary of a cluster", () => {
  /** Lines of the profile name every engine that it accepts. */
  const withoutProfile = (page: string): string => page.replace(/<section><h2 id="s-profile">.*?<\/section>/s, "");

  it("speak of a cluster, and of nothing that is not there", () => {
    const { page, summary } = good.evidence;
    for (const text of [withoutProfile(page), summary]) {
      expect(text).not.toMatch(/docker|terraform|opentofu|this host|last deploy/i);
      expect(text).toContain("the cluster below the pods");
      expect(text).toContain("two policies say each flow");
      expect(text).toContain("database");
    }
    expect(page).toContain("Kubernetes, as its API server says");
    expect(page).toContain("Parts that somebody else runs: nobody looked inside");
    expect(page).toContain("on the machine that deploys: whoever controls it can sign anything");
    expect(summary).toContain("Somebody else runs, and nobody looked inside of: loki");
  });

  it("leave those of docker as they were", () => {
    const { page, summary } = ofDocker.evidence;
    for (const text of [page, summary]) {
      expect(text).toContain("Docker itself");
      expect(text).not.toMatch(/somebody else runs|API server/i);
    }
    expect(page).toContain("<dt>Docker Engine</dt><dd>28.1.0</dd>");
    expect(page).toContain("on the host itself: whoever controls it can sign anything");
  });

  it("take a hostile name for text", async () => {
    const facts = testClusterFacts();
    const host = `"><script>x</script>|\``;
    const hostile = testClusterFacts({
      namespace: host,
      elsewhere: facts.elsewhere.map((part) => ({ ...part, host })),
    });
    const { page, summary } = (await testClusterEvidence({ facts: hostile })).evidence;
    expect(page).not.toContain("<script");
    expect(summary).not.toContain("<script");
  });
});

describe("evidence of docker", () => {
  it("is of the first form, as it was before there was another", () => {
    expect(ofDocker.statement.predicate.schema).toBe("trustkern.evidence/1");
    expect(ofDocker.statement.predicate.facts).not.toHaveProperty("engine");
    expect(codesOf(ofDocker.file)).toEqual([]);
  });

  it("that was signed before opens, byte for byte, and is only of another version than tomorrow's", () => {
    const file = readFileSync("test/fixtures/evidence-v1.json");
    const key = createPublicKey(readFileSync("test/fixtures/evidence-v1.pub"));
    expect(openEvidence(file, key).predicate).toMatchObject({ schema: "trustkern.evidence/1", verdict: "proven" });
    const { findings } = verifyEvidence({ file, key, at: SIGNED_AT, toolkit: "9.0.0", pageOf: () => undefined });
    expect(findings.map(({ code }) => code)).toEqual(["EVIDENCE_OTHER_VERSION"]);
  });

  it.each<[string, (statement: Statement) => void]>([
    ["is said to be of a cluster", (s) => (s.predicate.verification.engine = "kubernetes")],
    [
      "has manifests for a subject",
      (s) => (s.subject.find(({ name }) => name === "cdk.tf.json")!.name = "manifests.yaml"),
    ],
  ])("is refused where it %s", async (_, change) => {
    expect(await refusals(change, ofDocker)).toEqual(["EVIDENCE_INCONSISTENT"]);
  });

  it.each<[string, (facts: Loose, predicate: Loose) => void]>([
    ["the number of the second form", (_, predicate) => Object.assign(predicate, { schema: "trustkern.evidence/2" })],
    ["an engine", (facts) => Object.assign(facts, { engine: "docker" })],
    ["the engine of a cluster", (facts) => Object.assign(facts, { engine: "kubernetes" })],
    ["parts elsewhere", (facts) => Object.assign(facts, { elsewhere: [] })],
    ["a version of Kubernetes", (facts) => Object.assign(facts.versions!, { kubernetes: null })],
    [
      "an unknown fact of a cluster",
      (facts) => Object.assign(facts, { unknown: [{ fact: "kubernetes", code: "X_Y" }] }),
    ],
  ])("is not signed with %s", async (_, change) => {
    const statement = structuredClone(ofDocker.statement) as unknown as Loose;
    change(statement.predicate!.facts!, statement.predicate!);
    await expect(async () => sealStatement(statement as unknown as Statement, good.signer)).rejects.toThrow();
  });

  it("has facts of its own alone", () => {
    expect(testFacts()).not.toHaveProperty("namespace");
  });
});

/** The codes that evidence of a profile's file is refused with, and of what is changed in its facts. */
async function ofProfile(
  profile: keyof typeof KUBERNETES_FILES,
  changes: Partial<ClusterFacts> = {},
  published?: string,
): Promise<readonly string[]> {
  const file = KUBERNETES_FILES[profile];
  const { deployment, images, model } = testPlan(deploymentOf(file));
  const { keys, administrators } = testClusterFacts();
  const { kind, leastClass, owner, acceptSoftware = null } = deployment.custody;
  const facts = testClusterFacts({
    ...factsOfFile(deployment, images, undefined),
    namespace: deployment.kubernetes.namespace,
    publishedTo: [...deployment.kubernetes.publish.from],
    elsewhere: elsewhereIn(model),
    profileLines: linesOf(profileLines(file)).map((line) =>
      line.path === "kubernetes.publish.from" ? { ...line, value: published ?? line.value } : line,
    ),
    profileAssurances: assurancesOf(PROFILES[profile]),
    keys: { ...keys, kind, leastClass, owner, acceptSoftware, custodyClass: leastClass },
    administrators: { ...administrators, ...administratorsOfFile(deployment) },
    ...changes,
  });
  const verification = { ...testClusterVerification(), profile };
  return codesOf((await testClusterEvidence({ signer: good.signer, facts, verification })).file);
}

const resultOf = (s: Statement, id: string) => s.predicate.verification.results.find((one) => one.id === id)!;
function withoutImage(s: Statement, name: string): void {
  const image = s.predicate.facts.images.find((one) => one.name === name)!;
  s.predicate.facts.images = s.predicate.facts.images.filter((one) => one !== image);
  s.subject = s.subject.filter((one) => one.name !== image.reference);
}
