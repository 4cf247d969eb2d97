import type { Framework } from "./control.ts";

/** Trust services criteria of a SOC 2 examination: common criteria (CC) and confidentiality (C). */
export const SOC_2: Framework = {
  name: "SOC 2, trust services criteria",
  edition: "2017, points of focus of 2022",
  controls: [
    {
      id: "CC6.1",
      title: "Logical access to protected information is restricted",
      checks: ["running.tls.refused", "rendered.secrets", "running.custody"],
      why: "ports ask for certificates, secrets reach one component each, and keys are in the custody that was named",
    },
    {
      id: "CC6.3",
      title: "Access follows roles and least privilege",
      checks: ["rendered.rights", "rendered.mounts", "running.rights"],
      why: "rights, files and secrets of each container are those of its component",
    },
    {
      id: "CC6.6",
      title: "Boundaries are protected from outside",
      checks: ["rendered.ports", "running.listeners", "running.refused"],
      why: "only ports of the model are published, listened on and reachable",
    },
    {
      id: "CC6.7",
      title: "Information is moved by authorised ways alone, and protected on them",
      checks: ["model.reachability", "data.traffic", "running.egress"],
      why: "plaintext has no way out of the boundary, is in no packet, and nothing leaves from inside of a container",
    },
    {
      id: "CC6.8",
      title: "Software that is not authorised is prevented or found",
      checks: ["running.images", "running.components"],
      why: "images are compared with the lock, and strangers beside the components are found",
    },
    {
      id: "CC7.1",
      title: "Changes of configuration that bring in weaknesses are found",
      checks: ["rendered.deployed", "running.environment", "running.mounts"],
      why: "what was deployed and what runs are compared with what the model renders",
    },
    {
      id: "C1.1",
      title: "Confidential information is identified and protected",
      checks: ["model.table", "data.broker", "data.logs", "data.metrics", "data.engine"],
      why: "data classes are part of the model, and a marked message is searched for where it must not be",
    },
  ],
  notLookedAt:
    "the control environment, people, risk assessment, monitoring over time, incident response and vendors (CC1 to CC5, CC7.2 to CC9), physical access (CC6.4), disposal (CC6.5, C1.2)",
};
