import type { Framework } from "./control.ts";

/** System requirements (SR) of IEC 62443-3-3. */
export const IEC_62443_3_3: Framework = {
  name: "IEC 62443-3-3",
  edition: "2013",
  controls: [
    {
      id: "SR 1.2",
      title: "Software and devices are identified and authenticated",
      checks: ["running.tls.accepted", "running.tls.refused"],
      why: "every port with mutual TLS takes the certificates of its clients, and no connection without one",
    },
    {
      id: "SR 1.5",
      title: "Authenticators are managed and protected",
      checks: ["rendered.secrets", "running.environment", "running.mounts"],
      why: "a secret reaches the one container that it belongs to, and stands in no stack and no environment",
    },
    {
      id: "SR 1.8",
      title: "Certificates come from a PKI",
      checks: ["running.tls.accepted", "running.tls.refused"],
      why: "certificates chain to the deployment's root; those of another root or tenant, and revoked ones, are refused",
    },
    {
      id: "SR 1.13",
      title: "Access by way of untrusted networks is controlled",
      checks: ["rendered.ports", "running.listeners"],
      why: "only ports of the model are published and listened on",
    },
    {
      id: "SR 2.1",
      title: "Authorisation is enforced, with least privilege",
      checks: ["rendered.rights", "running.rights", "running.refused"],
      why: "no container has a right that no exception grants, or reaches a port that no flow names",
    },
    {
      id: "SR 3.1",
      title: "Integrity of communication",
      checks: ["running.tls.accepted", "running.tls.version"],
      why: "flows between components are TLS 1.3, and nothing older is spoken",
    },
    {
      id: "SR 3.3",
      title: "Security functions are verified to work",
      checks: ["running.flows", "running.refused", "running.tls.refused"],
      why: "what has to connect is tried, and what has to be refused as well",
    },
    {
      id: "SR 3.4",
      title: "Integrity of software and information",
      checks: ["rendered.images", "running.images", "running.components"],
      why: "containers run the bytes that the lock names, and no stranger shares their networks, folders or namespaces",
    },
    {
      id: "SR 4.1",
      title: "Confidentiality of information at rest and in transit",
      checks: ["model.reachability", "data.traffic", "data.broker", "data.gateway", "data.logs", "running.encryption"],
      why: "plaintext reaches nothing outside of the boundary; a marked message is searched for on networks and disks",
    },
    {
      id: "SR 4.3",
      title: "Recognised cryptography, and the management of its keys",
      checks: ["running.custody", "running.tls.version"],
      why: "the place of the decryption keys is of the class and kind that is asked for, and TLS is 1.3",
    },
    {
      id: "SR 5.1",
      title: "Networks are segmented",
      checks: ["rendered.networks", "running.refused"],
      why: "there is a network for each flow with its two ends alone, and other ports are refused",
    },
    {
      id: "SR 5.2",
      title: "Zone boundaries are protected",
      checks: ["model.table", "rendered.ports", "running.egress"],
      why: "flows between zones carry what their table allows, only named ports are published, and nothing leaves",
    },
    {
      id: "SR 5.4",
      title: "Applications and data are partitioned",
      checks: ["model.table", "rendered.mounts", "running.mounts"],
      why: "a component holds the data classes of its zone, and sees files and volumes of its own alone",
    },
    {
      id: "SR 7.1",
      title: "An overloaded part does not take the others with it",
      checks: ["rendered.limits"],
      why: "every container has bounds on memory, processors and logs",
    },
    {
      id: "SR 7.2",
      title: "Resources are managed",
      checks: ["rendered.limits", "running.rights"],
      why: "the bounds are in the stack and on the running containers",
    },
    {
      id: "SR 7.6",
      title: "Network and security settings are as recommended, and can be shown",
      checks: ["model.profile", "rendered.deployed", "running.environment"],
      why: "settings keep the lines of the profile, and what runs is what was rendered",
    },
    {
      id: "SR 7.7",
      title: "Functions, ports and services that are not needed are off",
      checks: ["rendered.ports", "running.listeners"],
      why: "nothing is published or listened on that the model does not have",
    },
    {
      id: "SR 7.8",
      title: "Components are inventoried",
      checks: ["running.components", "model.components"],
      why: "every component of the model runs, none is missing, and there is no stranger",
    },
  ],
  notLookedAt:
    "human users and sessions at dashboards (SR 1.1, 2.5 to 2.7), wireless and mobile code (SR 1.6, 2.2 to 2.4), audit records and their review (SR 2.8 to 2.12, 6.1, 6.2), backup, recovery and power (SR 7.3 to 7.5)",
};
