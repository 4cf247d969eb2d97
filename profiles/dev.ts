import { REPORTED_EVERYWHERE } from "./common-lines.ts";
import { CUSTODY_EVERYWHERE } from "./custody-lines.ts";
import type { Profile } from "./profile.ts";

/** One machine, with simulated sensors: to learn, to develop firmware against, to demonstrate. */
export const dev: Profile = {
  name: "dev",
  summary: "one machine with simulated sensors, to learn and to develop against; no promise about who sees what",
  constraints: [
    {
      topic: "engine",
      path: "engine",
      rule: { kind: "one-of", values: ["embedded", "docker"] },
      reason: "everything runs on one machine; a cluster is what the other profiles are for",
    },
    {
      topic: "region",
      path: "hosting.region",
      rule: { kind: "one-of", values: ["local"] },
      reason: "the boundary is this machine",
    },
    {
      topic: "hosting",
      path: "hosting.account",
      rule: { kind: "one-of", values: ["local"] },
      reason: "no provider is involved",
    },
    {
      topic: "operator",
      path: "hosting.operator",
      rule: { kind: "one-of", values: ["self"] },
      reason: "whoever starts it reads everything: a development deployment protects no one from its operator",
    },
    {
      topic: "simulator",
      path: "simulator.sensors",
      rule: { kind: "between", min: 0, max: 1000 },
      reason: "simulated sensors share one process and one machine with everything else",
    },
    ...CUSTODY_EVERYWHERE,
  ],
  assurances: REPORTED_EVERYWHERE,
  mayBeAbsent: ["grafana", "simulator"],
  defaults: {
    engine: "embedded",
    images: { source: "registry" },
    egress: { mode: "open" },
    hosting: { region: "local", account: "local", operator: "self" },
    simulator: { sensors: 3, ratePerSecond: 5 },
    custody: { kind: "file", class: "software", owner: "self", schedule: { rotateEvery: "90d", overlap: "7d" } },
  },
};
