import type { Framework } from "./control.ts";

/** Objectives (SOV) of the European Commission's Cloud Sovereignty Framework. */
export const CLOUD_SOVEREIGNTY: Framework = {
  name: "EU Cloud Sovereignty Framework",
  edition: "1.2.1, October 2025",
  controls: [
    {
      id: "SOV-2",
      title: "Legal and jurisdictional",
      checks: ["model.profile"],
      why: "regions of hosting, keys and state are those that the profile accepts; whose law binds a company is not looked at",
    },
    {
      id: "SOV-3",
      title: "Data and AI",
      checks: ["model.reachability", "running.custody", "data.stored", "data.traffic", "data.broker"],
      why: "telemetry is opened inside of one boundary alone, with keys in the custody that was named",
    },
    {
      id: "SOV-4",
      title: "Operations",
      checks: ["model.profile", "running.egress"],
      why: "who operates and who may give support are lines of the profile; nothing reaches out of a container",
    },
    {
      id: "SOV-5",
      title: "Supply chain",
      checks: ["rendered.images", "running.images"],
      why: "images are named and run by digest; where their makers and the hardware come from is not looked at",
    },
    {
      id: "SOV-7",
      title: "Security and compliance",
      checks: ["running.refused", "running.tls.refused", "running.components"],
      why: "isolation and authentication are tried on what runs; who runs a security centre is not looked at",
    },
  ],
  notLookedAt:
    "strategic sovereignty (SOV-1), technology (SOV-6) and environmental sustainability (SOV-8), of which no program can see anything",
};
