import type { Facts } from "../schema/facts-schema.ts";

/** One thing that no check of the boundary can see, and why. */
interface Outside {
  readonly what: string;
  readonly why: string;
}

/** What no check of the boundary can see, so that nobody reads into evidence what is not in it; on the engine docker. */
export const OUTSIDE: readonly Outside[] = [
  {
    what: "the sensor",
    why: "its secure element, its tamper switches and its firmware; it measures and signs before anything here begins",
  },
  {
    what: "the gateway's own hardware",
    why: "its boot chain, its root of trust, its case; a gateway outside of this host is known by its certificate alone",
  },
  {
    what: "the radio",
    why: "whether it can be jammed or its network key was taken: envelopes protect themselves, answers do not",
  },
  { what: "the place", why: "doors, racks, cameras, disposal of disks, and who can plug something in" },
  {
    what: "people",
    why: "what operators, holders of shares and administrators of the provider do with the rights that are named here",
  },
  {
    what: "the host below the containers",
    why: "kernel, firmware, hypervisor and Docker itself; who controls them when evidence is signed can make it say anything",
  },
  {
    what: "tokens and TPMs inside",
    why: "their class is what custody says of them; that a device is what it says it is, its maker vouches for",
  },
  {
    what: "the provider",
    why: "who owns it, whose orders bind it, and whether the region that is named is where the machine stands",
  },
  {
    what: "the time between",
    why: "evidence is of the minutes in which it was made; before and after, nothing was looked at",
  },
  { what: "whoever reads on", why: "exports, dashboards and copies that people with a right to plaintext make of it" },
];

/** What is said in a cluster in the place of a line of {@link OUTSIDE}. */
const IN_CLUSTER: Readonly<Record<string, Outside>> = {
  "the gateway's own hardware": {
    what: "the gateway's own hardware",
    why: "its boot chain, its root of trust, its case; a gateway outside of the cluster is known by its certificate alone",
  },
  "the host below the containers": {
    what: "the cluster below the pods",
    why: "nodes, their kernels and disks, the network plugin, admission and the API server, by whose word much is seen; who controls them when evidence is signed can make it say anything",
  },
  "tokens and TPMs inside": {
    what: "the server that wraps the keys",
    why: "its class is what custody says of it; who runs it, and what protects it, the customer vouches for",
  },
  "the provider": {
    what: "the provider",
    why: "who owns it, whose orders bind it, and whether the region that is named is where the nodes stand",
  },
};

const ELSEWHERE: Outside = {
  what: "parts that somebody else runs",
  why: "a database, a Prometheus or a certificate authority of the platform is held to its zone by the model, and was looked into by nobody",
};

/** {@link OUTSIDE}, in the words of the engine that facts are of. */
export function outsideOf(facts: Facts): readonly Outside[] {
  return "engine" in facts ? [...OUTSIDE.map((line) => IN_CLUSTER[line.what] ?? line), ELSEWHERE] : OUTSIDE;
}
