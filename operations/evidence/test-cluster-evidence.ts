import { PROFILES } from "../../profiles/index.ts";
import { profileLines } from "../../profiles/lines.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../stacks/kubernetes/test-deployments.ts";
import { plainTexts } from "../signed-file/plain-text.ts";
import type { CheckId } from "../verify/checks.ts";
import type { CheckResult, Verification } from "../verify/result.ts";
import type { EvidenceParts } from "./build.ts";
import { digestOf } from "./digest.ts";
import { administratorsOfFile, factsOfFile } from "./facts/deployment.ts";
import { elsewhereIn } from "./facts/elsewhere.ts";
import { keysOf } from "./facts/keys.ts";
import { assurancesOf, linesOf } from "./facts/profile.ts";
import type { ClusterFacts } from "./schema/facts-schema.ts";
import { type TestEvidence, testEvidence, testFacts, testVerification } from "./test-evidence.ts";

const FILE = KUBERNETES_FILES["customer-tenant"];

/** What a cluster keeps from being proven, however good it is. */
const OPEN = ["running.flows", "running.listeners", "running.egress", "data.operations", "data.traffic"] as const;

/** A verification of all layers in a cluster, in which everything is proven that can be there. */
export function testClusterVerification(changes: Partial<Record<CheckId, Partial<CheckResult>>> = {}): Verification {
  const open = { outcome: "not-proven", seen: "cannot be looked at here" } as const;
  return {
    ...testVerification({
      ...Object.fromEntries(OPEN.map((id) => [id, open])),
      "running.encryption": { ...open, reportOnly: true },
      ...changes,
    }),
    profile: "customer-tenant",
    engine: "kubernetes",
  };
}

/** Facts of the customer-tenant file of the tests, whose database, metrics, logs and dashboards somebody else runs. */
export function testClusterFacts(changes: Partial<ClusterFacts> = {}): ClusterFacts {
  const { deployment, images, model } = testPlan(deploymentOf(FILE));
  const { certificates, administrators, keys, versions, diagram } = testFacts();
  const { operatorCertificates, operatorCertificatesOfBackend } = administrators;
  const { toolkit, node } = versions;
  return plainTexts({
    ...factsOfFile(deployment, images, undefined),
    engine: "kubernetes",
    namespace: deployment.kubernetes.namespace,
    publishedTo: [...deployment.kubernetes.publish.from],
    versions: { toolkit, node, kubernetes: "v1.34.1" },
    stack: digestOf("objects"),
    diagram,
    elsewhere: elsewhereIn(model),
    profileLines: linesOf(profileLines(FILE)),
    profileAssurances: assurancesOf(PROFILES["customer-tenant"]),
    keys: {
      ...keysOf(deployment, undefined),
      ...{ sealed: false, verified: true, custodyClass: "software" },
      generations: keys.generations,
    },
    certificates,
    administrators: { ...administratorsOfFile(deployment), operatorCertificates, operatorCertificatesOfBackend },
    unknown: [],
    ...changes,
  });
}

/** Evidence of {@link testClusterVerification} and {@link testClusterFacts}. */
export function testClusterEvidence(changes: Partial<EvidenceParts> = {}): Promise<TestEvidence> {
  return testEvidence({ verification: testClusterVerification(), facts: testClusterFacts(), ...changes });
}
