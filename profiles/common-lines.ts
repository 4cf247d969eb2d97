import type { Assurance, Constraint, Profile } from "./profile.ts";

/** The online authorities have their keys where no copy can be made: in one of these. */
export function onlineKeysIn(...kinds: readonly ("pkcs11" | "tpm2" | "aws-kms")[]): Constraint {
  return {
    topic: "pki",
    path: "pki.issuing.kind",
    rule: { kind: "one-of", values: kinds },
    reason:
      "who copies the file of an issuing key has every identity that it issues; what signs and gives no copy is on the list",
  };
}

/** A database that is somebody's service: its rows are plaintext, so it lies where the boundary does. */
export const DATABASE_IN_REGION: Constraint = {
  topic: "region",
  path: "kubernetes.external.database.region",
  when: { path: "engine", values: ["kubernetes"] },
  orElse: "hosting.region",
  rule: { kind: "same-as", path: "hosting.region" },
  reason: "the rows of a database are plaintext, so one that somebody else runs lies in the boundary's own region",
};

/** Nothing pretends to be a sensor. */
export const NO_SIMULATOR: Constraint = {
  topic: "simulator",
  path: "simulator.sensors",
  rule: { kind: "one-of", values: [0] },
  reason: "simulated telemetry and a rogue gateway have no place beside real data",
};

/** How long rows and envelopes are kept. */
export function retentionLines(telemetryAtMost: string, rawAtMost: string, why: string): readonly Constraint[] {
  return [
    {
      topic: "retention",
      path: "retention.telemetry",
      rule: { kind: "lasts", min: "1d", max: telemetryAtMost },
      reason: `storage limitation (GDPR Art. 5(1)(e)), where rows tell of people: ${why}`,
    },
    {
      topic: "retention",
      path: "retention.raw",
      rule: { kind: "lasts", min: "1h", max: rawAtMost },
      reason:
        "envelopes are there to settle disputes and to make rows anew; each is opened again by a key that must be kept",
    },
    {
      topic: "retention",
      path: "retention.raw",
      rule: { kind: "no-longer-than", path: "retention.telemetry" },
      reason: "an envelope holds what its row held, so a row that is gone would be there still",
    },
  ];
}

/** The engines that keep components apart. */
export const ENGINES_THAT_ISOLATE: Constraint = {
  topic: "engine",
  path: "engine",
  rule: { kind: "one-of", values: ["docker", "kubernetes"] },
  reason: "the embedded engine has no isolation between components and its database does not sync to disk",
};

/** Defaults of every profile but `dev`. */
export const DEFAULTS_OUTSIDE_DEV = {
  simulator: { sensors: 0 },
  telemetry: { vendor: "none" },
  state: { backend: "local" },
  retention: { telemetry: "365d", raw: "30d" },
} as const satisfies Profile["defaults"];

/** What may be reported as not proven, since who proves cannot see it from the host of the deployment. */
export const REPORTED_EVERYWHERE: readonly Assurance[] = [
  {
    topic: "encryption",
    heldBy: "running.encryption",
    accepted:
      "every volume and folder with plaintext or keys on an encrypted device: proven, or reported as not proven",
    reason:
      "a disk that is stolen, sent in for repair or sold says nothing; many hosts encrypt below what can be seen from them",
    reportOnly: true,
  },
  {
    topic: "hosting",
    heldBy: "data.gateway",
    accepted:
      "no plaintext on a gateway: proven of those on this host, and reported as not looked at of those elsewhere",
    reason:
      "a gateway on a machine of its own stands on the edge, where this host reads no disk; it holds no key that opens a message",
    reportOnly: true,
  },
];

/** Lines of every profile but `dev` that a running deployment keeps. */
export const ASSURED_OUTSIDE_DEV: readonly Assurance[] = [
  ...REPORTED_EVERYWHERE,
  {
    topic: "hosting",
    heldBy: "running.components",
    accepted: "ingress, decryption and operations together, and no stranger on their networks or in their folders",
    reason: "the boundary lies inside the hosting, so whatever shares it could look in",
  },
  {
    topic: "region",
    heldBy: "deploy",
    accepted: "region and account of the first deploy",
    reason: "rows, keys and volumes stay where they were made; what moves is a new deployment, whose sensors are told",
  },
  {
    topic: "egress",
    heldBy: "running.egress",
    accepted: "no packet leaves the host from inside of a container",
    reason: "the list is for the host itself; a component that could call out could carry plaintext out",
  },
  {
    topic: "images",
    heldBy: "running.images",
    accepted: "the bytes that images.lock.yaml names, by digest",
    reason: "a tag can be moved to other bytes after somebody looked at it",
  },
  {
    topic: "state",
    heldBy: "rendered.engine",
    accepted: "the state where the file says, and no secret in it",
    reason: "who can write the state of the engine decides what runs",
  },
];

/** What the vendor gets of the metrics is metadata. */
export function metricsAlone(accepted: string, reason: string): Assurance {
  return { topic: "telemetry", heldBy: "data.metrics", accepted, reason };
}

/** What a deployment may do without, for its own reason; without each other component the rest promises what nobody keeps. */
export function componentsLine(mayBeAbsent: readonly string[], reason: string): Assurance {
  return {
    topic: "components",
    heldBy: "model.components",
    accepted: `none may be absent but: ${mayBeAbsent.join(", ")}`,
    reason: `${reason}; without custody's broker, the guard of the CA or the logs the rest still runs, and promises what nobody keeps`,
  };
}
