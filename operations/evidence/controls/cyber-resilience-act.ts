import type { Framework } from "./control.ts";

/** Essential requirements of Regulation (EU) 2024/2847 on the properties of products. */
export const CYBER_RESILIENCE_ACT: Framework = {
  name: "EU Cyber Resilience Act, Annex I, part I, point (2)",
  edition: "Regulation (EU) 2024/2847",
  controls: [
    {
      id: "(b)",
      title: "Secure by default",
      checks: ["model.profile", "rendered.rights"],
      why: "the profile's lines are kept, and containers have no right that no exception grants",
    },
    {
      id: "(d)",
      title: "Protection from unauthorised access",
      checks: ["running.tls.refused", "running.refused"],
      why: "clients without a certificate of the deployment, and connections that no flow names, are refused",
    },
    {
      id: "(e)",
      title: "Confidentiality of stored and transmitted data",
      checks: ["data.traffic", "data.broker", "data.gateway", "running.tls.version", "running.encryption"],
      why: "a marked message is found in no packet and in no file outside of the boundary",
    },
    {
      id: "(f)",
      title: "Integrity of data, programs and configuration",
      checks: ["running.images", "rendered.deployed", "data.stored"],
      why: "images and stack are those that were locked and rendered; a signed message is stored once, as it was sent",
    },
    {
      id: "(g)",
      title: "No more data than is needed",
      checks: ["data.logs", "data.metrics", "data.operations"],
      why: "logs, metrics and operations have metadata, and nothing of what a sensor measured",
    },
    {
      id: "(i)",
      title: "Little harm to other devices and networks",
      checks: ["running.egress", "rendered.limits"],
      why: "nothing leaves from inside of a container, and every container has bounds",
    },
    {
      id: "(j)",
      title: "A small attack surface, external interfaces included",
      checks: ["rendered.ports", "running.listeners"],
      why: "nothing is published or listened on that the model does not have",
    },
    {
      id: "(k)",
      title: "An incident stays small",
      checks: ["rendered.rights", "rendered.networks", "running.rights"],
      why: "a container that is taken over has no right of the host, and its flows' networks alone",
    },
  ],
  notLookedAt:
    "known weaknesses at delivery (a), updates (c), availability after an incident (h), security records (l), removal of data (m), part II (handling of vulnerabilities)",
};
