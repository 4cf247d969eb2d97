import type { Model } from "../../model/boundary.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import type { Profile } from "../../profiles/profile.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { STACK_FILE } from "../../stacks/docker/terraform/init.ts";
import type { Facts } from "./schema/facts-schema.ts";

/** What evidence of one engine has that another's has not, besides its form and its words. */
export interface EvidenceEngine {
  readonly name: "docker" | "kubernetes";
  /** Name of the subject that the rendered stack is. */
  readonly stackName: string;
  /** Images that a component runs in the place of another one, where keys are on a token or in a TPM. */
  readonly instead: Readonly<Record<string, string>>;
}

const DOCKER: EvidenceEngine = {
  name: "docker",
  stackName: STACK_FILE,
  instead: { custody: "custody-tpm2", "step-ca": "step-ca-pkcs11" },
};

const KUBERNETES: EvidenceEngine = { name: "kubernetes", stackName: "manifests.yaml", instead: {} };

/** The engine that facts are of. */
export function engineOf(facts: Facts): EvidenceEngine {
  return "engine" in facts ? KUBERNETES : DOCKER;
}

/** The least deployment of a profile on the engine of these facts, with the same parts elsewhere: what it has every other one has too. */
export function leastModel({ name: profile }: Profile, facts: Facts): Model {
  const name = "evidence";
  const elsewhere = "elsewhere" in facts ? facts.elsewhere : [];
  const external = Object.fromEntries(elsewhere.map(({ component }) => [component, { addresses: [] }]));
  const engine = engineOf(facts).name;
  const deployment = resolveDeployment({
    ...{ name, tenant: name, profile, engine, gateways: [], kubernetes: { external } },
  });
  return buildModel(deployment, referencePlacement(deployment));
}
