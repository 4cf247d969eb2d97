import type { Layer } from "../../verify/checks.ts";
import type { ClusterFacts, DockerFacts, Facts } from "../schema/facts-schema.ts";

/** What a page and a summary say otherwise on each engine. */
export interface EngineWords {
  /** Of each layer, what is looked at. */
  readonly about: Readonly<Record<Layer, string>>;
  /** Programs that made and run it, with what was had of them, and where it is there. */
  readonly versions: readonly (readonly [name: string, value: string])[];
  /** What the digest of the stack is of. */
  readonly stack: string;
  /** Where certificates, secrets and the ledger are. */
  readonly here: string;
  /** Where a signing key is that nobody took away. */
  readonly keyHere: string;
  /** Who reaches the hosts that `egress.allow` has. */
  readonly reaching: string;
}

/** The words for the engine that facts are of. */
export function engineWords(facts: Facts): EngineWords {
  return "engine" in facts ? clusterWords(facts) : dockerWords(facts);
}

const MODEL = "What may reach what, by the components and flows of the deployment, before anything runs.";
const DATA = "Where the plaintext of one marked message of a sensor is found.";

function dockerWords({ versions: { terraform, dockerEngine } }: DockerFacts): EngineWords {
  return {
    about: {
      model: MODEL,
      rendered: "What the engine is told to make, and was told at the last deploy.",
      running: "What runs, tried from inside of every container.",
      data: DATA,
    },
    versions: [
      ["OpenTofu or Terraform", terraform ?? "not known"],
      ["Docker Engine", dockerEngine ?? "not known"],
    ],
    stack: "rendered stack, SHA-256",
    here: "this host",
    keyHere: "on the host itself: whoever controls it can sign anything",
    reaching: "the host of the deployment",
  };
}

function clusterWords({ namespace, publishedTo, versions: { kubernetes } }: ClusterFacts): EngineWords {
  return {
    about: {
      model: MODEL,
      rendered: "What the cluster is told to make, and what it has in the namespace.",
      running: "What runs, tried from inside of its pods, through the API server, and by what that says.",
      data: DATA,
    },
    versions: [
      ["Kubernetes, as its API server says", kubernetes ?? "not known"],
      ["namespace", namespace],
      ["networks that reach published ports", publishedTo.join(", ") || "none"],
    ],
    stack: "objects, as trustkern export kubernetes prints them, SHA-256",
    here: "the machine that deploys",
    keyHere: "on the machine that deploys: whoever controls it can sign anything",
    reaching: "pods, nodes and the machine that deploys",
  };
}
