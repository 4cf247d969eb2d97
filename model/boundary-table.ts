import type { DataClass, Protection, Zone } from "./zones.ts";

/** Which data classes a component of a zone may hold. The compiler and `checkBoundary` read this one table. */
export const ZONE_HOLDS = {
  device: ["ciphertext", "plaintext", "signing-key", "metadata", "credential"],
  edge: ["ciphertext", "metadata", "credential"],
  ingress: ["ciphertext", "metadata", "credential"],
  decryption: ["ciphertext", "plaintext", "decryption-key", "metadata", "credential"],
  operations: ["signing-key", "metadata", "credential"],
} as const satisfies Record<Zone, readonly DataClass[]>;

/**
 * Which data classes a flow between two zones may carry. A connection carries data both ways, so the table is
 * symmetric; an empty list means that the two zones do not speak with each other. The one credential that travels is
 * the network key inside a provisioning bundle.
 */
export const FLOW_CARRIES = {
  device: {
    device: ["ciphertext", "metadata"],
    edge: ["ciphertext", "metadata"],
    ingress: ["ciphertext", "metadata"],
    decryption: [],
    operations: ["metadata", "credential"],
  },
  edge: {
    device: ["ciphertext", "metadata"],
    edge: ["ciphertext", "metadata"],
    ingress: ["ciphertext", "metadata"],
    decryption: [],
    operations: ["metadata"],
  },
  ingress: {
    device: ["ciphertext", "metadata"],
    edge: ["ciphertext", "metadata"],
    ingress: ["ciphertext", "metadata"],
    decryption: ["ciphertext", "metadata"],
    operations: ["metadata"],
  },
  decryption: {
    device: [],
    edge: [],
    ingress: ["ciphertext", "metadata"],
    decryption: ["ciphertext", "plaintext", "decryption-key", "metadata"],
    operations: ["metadata"],
  },
  operations: {
    device: ["metadata", "credential"],
    edge: ["metadata"],
    ingress: ["metadata"],
    decryption: ["metadata"],
    operations: ["metadata"],
  },
} as const satisfies Record<Zone, Record<Zone, readonly DataClass[]>>;

/** Which data classes a protection is good for. */
export const PROTECTION_CARRIES = {
  mtls: ["ciphertext", "plaintext", "decryption-key", "metadata", "credential"],
  tls: ["ciphertext", "plaintext", "metadata", "credential"],
  unix: ["ciphertext", "plaintext", "decryption-key", "metadata", "credential"],
  loopback: ["ciphertext", "plaintext", "metadata", "credential"],
  envelope: ["ciphertext", "metadata"],
} as const satisfies Record<Protection, readonly DataClass[]>;

/**
 * Which ports something outside of the deployment may connect to, by zone: `port` of any component, or `component.port` of that
 * one alone. Nothing of the boundary is published but the dashboards, to people.
 */
export const ZONE_PUBLISHES = {
  device: [],
  edge: ["coap"],
  ingress: ["mqtts"],
  decryption: ["grafana.https"],
  operations: ["https"],
} as const satisfies Record<Zone, readonly string[]>;

// A zone known only as a union (one read from YAML, say) may do what every member of the union may: what any one of
// them forbids is forbidden. So the types below subtract what is forbidden and never add up what is allowed.
type NotHeld<Z extends Zone> = Z extends Zone ? Exclude<DataClass, (typeof ZONE_HOLDS)[Z][number]> : never;
type NotCarried<A extends Zone, B extends Zone> = A extends Zone
  ? B extends Zone
    ? Exclude<DataClass, (typeof FLOW_CARRIES)[A][B][number]>
    : never
  : never;
type NotProtected<P extends Protection> = P extends Protection
  ? Exclude<DataClass, (typeof PROTECTION_CARRIES)[P][number]>
  : never;

/** The data classes that a component of zone `Z` may hold. */
export type MayHold<Z extends Zone> = Exclude<DataClass, NotHeld<Z>>;

/** The data classes that a flow from zone `A` to zone `B` under protection `P` may carry. */
export type MayCarry<A extends Zone, B extends Zone, P extends Protection = "mtls"> = Exclude<
  DataClass,
  NotCarried<A, B> | NotProtected<P>
>;
