import type { Framework } from "./control.ts";

/** Subcategories of the NIST Cybersecurity Framework. */
export const NIST_CSF_2_0: Framework = {
  name: "NIST CSF",
  edition: "2.0",
  controls: [
    {
      id: "ID.AM-02",
      title: "Software and services are inventoried",
      checks: ["running.components", "model.components"],
      why: "what runs is compared with the model, in both directions",
    },
    {
      id: "ID.AM-03",
      title: "Network communication and data flows are on record",
      checks: ["model.reachability", "running.flows", "running.refused"],
      why: "the flows of the model are those that connect, and there are no others",
    },
    {
      id: "PR.AA-01",
      title: "Identities and credentials are managed",
      checks: ["running.tls.accepted", "running.tls.refused"],
      why: "certificates of the deployment's own authorities are taken; others and revoked ones are not",
    },
    {
      id: "PR.AA-03",
      title: "Services and hardware are authenticated",
      checks: ["running.tls.refused"],
      why: "no port with mutual TLS takes a client that cannot show a certificate",
    },
    {
      id: "PR.AA-05",
      title: "Permissions follow least privilege",
      checks: ["rendered.rights", "rendered.mounts", "running.rights"],
      why: "rights, files and secrets of each container are those of its component",
    },
    {
      id: "PR.DS-01",
      title: "Data at rest is protected",
      checks: ["data.broker", "data.gateway", "data.operations", "running.encryption"],
      why: "no file outside of the boundary has plaintext; volumes with plaintext or keys are on encrypted devices",
    },
    {
      id: "PR.DS-02",
      title: "Data in transit is protected",
      checks: ["data.traffic", "running.tls.version"],
      why: "a marked message is in no packet in the clear, and TLS is 1.3",
    },
    {
      id: "PR.DS-10",
      title: "Data in use is protected",
      checks: ["model.table", "running.components", "running.custody"],
      why: "plaintext and keys are used in one zone, whose namespaces no stranger shares",
    },
    {
      id: "PR.PS-01",
      title: "Configuration is managed",
      checks: ["model.profile", "rendered.deployed", "running.environment"],
      why: "profile, deployed stack and running containers are compared",
    },
    {
      id: "PR.PS-05",
      title: "Software that is not authorised does not run",
      checks: ["rendered.images", "running.images"],
      why: "containers run the images of the lock by digest",
    },
    {
      id: "PR.IR-01",
      title: "Networks are protected from access that is not authorised",
      checks: ["rendered.networks", "running.refused", "running.egress"],
      why: "each flow has its own network, and nothing else connects or leaves",
    },
    {
      id: "PR.IR-04",
      title: "There is capacity for what has to be available",
      checks: ["rendered.limits"],
      why: "every container has bounds, so that one cannot use up the host",
    },
  ],
  notLookedAt: "the functions Govern, Detect, Respond and Recover, and everything that people do",
};
