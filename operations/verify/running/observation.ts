import type { LeafClass } from "../../../certs/names.ts";
import type { Handshake, HandshakeAnswer, ProbeAnswer, REACHED, Target } from "../../../shared/prober.ts";
import type { Observed } from "../../../stacks/docker/life/health.ts";
import type { ObservedContainer } from "../../../stacks/host/trust/observe.ts";
import type { Encryption } from "../../doctor/hardening/block-device.ts";

/** Something that was asked, or why there is no answer. */
export type Answered<T> = { readonly answer: T } | { readonly why: string };

/** An attempt to reach a port from inside of a container. */
export interface ReachAttempt {
  /** Name of the container that it is made from. */
  readonly from: string;
  /** Whose port it is: a component's, or the host's. */
  readonly to: string;
  readonly target: Target;
  /** `from -> to.port` of the flow that allows it; undefined for what has to be refused. */
  readonly flow: string | undefined;
  /** Undefined where it was not made. */
  readonly reached: (typeof REACHED)[number] | undefined;
}

/** What a client shows of itself, and what has to become of it. */
export const SHOWN = ["own", "nothing", "other-root", "other-tenant", "revoked", "old-version", "host"] as const;

/** One of {@link SHOWN}: `host` is a handshake from the host's side at a published port, for its version. */
export type Shown = (typeof SHOWN)[number];

/** An attempt at TLS. */
export interface TlsAttempt {
  readonly from: string;
  readonly to: string;
  /** Name of the port. */
  readonly port: string;
  readonly shows: Shown;
  readonly handshake: Handshake;
  /** Undefined where it was not made. */
  readonly answer: HandshakeAnswer | undefined;
}

/** What the host's own network showed while probes tried to leave. */
export interface HostWatch {
  /** Whether a packet of the host itself was seen on its way out, before and after; null where the host has no way out. */
  readonly controls: readonly (boolean | null)[];
  /** The same by IPv6. */
  readonly controlsOfIpv6: readonly (boolean | null)[];
  /** Where else the host has routes to, beside Docker's own networks, while it has none by which what a probe sends would leave. */
  readonly otherRoutes: readonly string[];
  /** Whether the listener on the host heard the host itself, before and after. */
  readonly listener: readonly boolean[];
  /** What of a container was seen on its way out. */
  readonly left: readonly { readonly from: string; readonly line: string }[];
}

/** An attempt to reach a service of the host from inside of a container, at an address of a network's gateway. */
export interface HostAttempt {
  readonly from: string;
  readonly target: Target;
  readonly reached: (typeof REACHED)[number] | undefined;
}

/** What an image says that its containers run. */
export interface ImageFacts {
  readonly id: string;
  readonly environment: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly folder: string;
}

/** What custody says of itself; null where it does not answer, and where it is sealed. */
export interface CustodySeen {
  readonly sealed: boolean | null;
  readonly kind: string | null;
  readonly custodyClass: string | null;
}

/** Everything that was seen of a deployment that runs. */
export interface Observation {
  /** By component. */
  readonly components: ReadonlyMap<string, Observed>;
  /** Every container of the host. */
  readonly everything: readonly ObservedContainer[];
  /** The network namespace of each component that runs, as it is inside. */
  readonly inside: ReadonlyMap<string, Answered<ProbeAnswer>>;
  readonly reach: readonly ReachAttempt[];
  readonly tls: readonly TlsAttempt[];
  /** Why no handshake was tried at all; undefined where there was one. */
  readonly roots: string | undefined;
  /** Of flows whose client has no certificate in a file: nobody else can show it. */
  readonly unshown: readonly string[];
  readonly hostReach: readonly HostAttempt[];
  /** What listens in the host's own network. */
  readonly hostListeners: Answered<ProbeAnswer["listeners"]>;
  /** By class the name constraints of its issuing authority (RFC 5280, section 4.2.1.10), in hex; empty where it has none. */
  readonly constraints: Answered<ReadonlyMap<LeafClass, string>>;
  /** Of each container whether a name of somebody outside has an address there. */
  readonly resolves: ReadonlyMap<string, boolean>;
  readonly watch: Answered<HostWatch>;
  /** By the name of the image in the lock. */
  readonly images: ReadonlyMap<string, Answered<ImageFacts>>;
  /** The mounts of a container's process as the kernel lists them; missing where this user may not read them. */
  readonly mountTables: ReadonlyMap<string, string>;
  readonly custody: CustodySeen;
  readonly volumes: readonly KeptPlace[];
}

/** A folder of the host with plaintext or keys in it. */
export interface KeptPlace {
  /** Whose volume it is; null where it is none. */
  readonly component: string | null;
  readonly path: string;
  readonly encryption: Encryption;
}
