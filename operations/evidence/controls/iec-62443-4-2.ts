import type { Framework } from "./control.ts";

/** Component requirements (CR) of IEC 62443-4-2. */
export const IEC_62443_4_2: Framework = {
  name: "IEC 62443-4-2",
  edition: "2019",
  controls: [
    {
      id: "CR 1.2",
      title: "A component identifies itself and authenticates others",
      checks: ["running.tls.accepted", "running.tls.refused"],
      why: "components show certificates of their own, and take no client without one where TLS is mutual",
    },
    {
      id: "CR 1.5",
      title: "Authenticators are protected while they are kept and used",
      checks: ["rendered.mounts", "rendered.secrets", "running.environment"],
      why: "keys and passwords are files of one component, and in no environment",
    },
    {
      id: "CR 1.8",
      title: "Certificates of a PKI are used",
      checks: ["running.tls.accepted"],
      why: "every server's certificate chains to the deployment's root and has its name",
    },
    {
      id: "CR 1.9",
      title: "Certificates are validated: chain, holder and revocation",
      checks: ["running.tls.refused"],
      why: "clients of another root or tenant, and revoked ones, are tried and refused",
    },
    {
      id: "CR 2.1",
      title: "Authorisation is enforced",
      checks: ["running.refused", "running.rights"],
      why: "a component can reach and do what its place in the model allows",
    },
    {
      id: "CR 3.1",
      title: "Integrity of communication",
      checks: ["running.tls.version", "running.tls.accepted"],
      why: "flows between components are TLS 1.3",
    },
    {
      id: "CR 3.4",
      title: "Integrity of software and configuration",
      checks: ["running.images", "rendered.images", "rendered.deployed"],
      why: "images are the locked ones, and the stack and configuration that were deployed are those of the model",
    },
    {
      id: "CR 4.1",
      title: "Confidentiality of what is kept and sent",
      checks: ["data.traffic", "data.broker", "data.gateway", "data.operations", "running.encryption"],
      why: "a marked message is found in no packet, and in no file of a component outside of the boundary",
    },
    {
      id: "CR 4.3",
      title: "Recognised cryptography",
      checks: ["running.tls.version", "running.custody"],
      why: "TLS 1.3 alone, and keys in a place of the class that is asked for",
    },
    {
      id: "CR 5.1",
      title: "Components support a segmented network",
      checks: ["rendered.networks", "running.flows", "running.refused"],
      why: "every flow works on a network of its own, and nothing else connects",
    },
    {
      id: "CR 7.1",
      title: "Components hold out under load",
      checks: ["rendered.limits"],
      why: "bounds on memory, processors and logs keep one from starving the others",
    },
    {
      id: "CR 7.2",
      title: "Resources are limited",
      checks: ["rendered.limits", "running.rights"],
      why: "the bounds are in the stack and on the running containers",
    },
    {
      id: "CR 7.6",
      title: "Settings can be reported",
      checks: ["running.environment", "running.mounts"],
      why: "environment, command and files of every container are compared with the model",
    },
    {
      id: "CR 7.7",
      title: "What is not needed is off",
      checks: ["running.listeners", "rendered.rights"],
      why: "no undeclared port is listened on, and no capability is left that no exception grants",
    },
    {
      id: "CR 7.8",
      title: "Components can be inventoried",
      checks: ["running.components", "running.images"],
      why: "each component is found by name, with the digest of its image",
    },
  ],
  notLookedAt:
    "requirements on devices (EDR, HDR and NDR): physical tamper resistance, root of trust, boot process and diagnostic interfaces of gateways and sensors",
};
