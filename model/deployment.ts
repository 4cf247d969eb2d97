/** What makes components run. */
export const ENGINES = ["embedded", "docker", "kubernetes", "pulumi"] as const;

/** One of {@link ENGINES}. */
export type Engine = (typeof ENGINES)[number];

/** What a deployment may be. */
export const PROFILE_NAMES = ["dev", "eu-hosted", "customer-tenant", "air-gapped"] as const;

/** One of {@link PROFILE_NAMES}. */
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** Who operates the machines of `ingress`, `decryption` and `operations`. */
export const OPERATORS = ["self", "trustkern", "customer"] as const;

/** One of {@link OPERATORS}. */
export type Operator = (typeof OPERATORS)[number];

/** Where `ingress`, `decryption` and `operations` run: one region, one account, one operator. */
export interface Hosting {
  /** Region of the provider, or `local` for one machine or one site. */
  readonly region: string;
  /** Account, subscription or project of the provider, or `local`. */
  readonly account: string;
  readonly operator: Operator;
}

/** The Thread operational data set that sensors join with, without its key. */
export interface ThreadNetwork {
  /** 1..16 bytes. */
  readonly name: string;
  /** IEEE 802.15.4 channel, 11..26. */
  readonly channel: number;
  /** 4 hex digits. */
  readonly panId: string;
  /** 16 hex digits. */
  readonly extPanId: string;
  /** IPv6 /64 of the mesh, such as `fd00:7472:7573:746b::/64`. */
  readonly meshLocalPrefix: string;
}

/** How long and how much is kept. */
export interface Retention {
  readonly telemetrySeconds: number;
  /** Of the envelopes' bytes. */
  readonly rawSeconds: number;
  /** Of each quarantine, oldest first out. */
  readonly quarantineMaxBytes: number;
}

/** Where container images come from: a registry, by digest, or built on this machine from packages. */
export const IMAGE_SOURCES = ["registry", "packages"] as const;

/** One of {@link IMAGE_SOURCES}. */
export type ImageSource = (typeof IMAGE_SOURCES)[number];

/** Where Terraform or OpenTofu keeps its state. Credentials come from the environment that these programs read. */
export type StateBackend =
  | { readonly kind: "local" }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      readonly key: string;
      readonly region: string;
      /** URL of an S3-compatible service; the region's own where it is missing. */
      readonly endpoint?: string | undefined;
    }
  | {
      readonly kind: "http";
      /** URL that the state is read from and written to; its lock is at the same URL, with LOCK and UNLOCK. */
      readonly address: string;
    };

/** One stack, of one tenant, in one boundary: what a `trustkern.yaml` says, with every default filled in. */
export interface Deployment {
  readonly name: string;
  readonly tenant: string;
  readonly profile: ProfileName;
  readonly engine: Engine;
  readonly hosting: Hosting;
  /** Names of the gateways, which are the common names of their certificates: `gw-…`. */
  readonly gateways: readonly string[];
  readonly simulator: {
    /** Simulated sensors; 0 for a deployment with real ones only. */
    readonly sensors: number;
    /** Messages per second, over all simulated sensors. */
    readonly ratePerSecond: number;
  };
  readonly collector: {
    /** Worker threads for the cryptography. */
    readonly workers: number;
    readonly batchMaxMessages: number;
    readonly batchMaxWaitMs: number;
  };
  readonly gateway: {
    readonly spoolMaxBytes: number;
  };
  readonly network: ThreadNetwork;
  /** Port numbers that are asked for, by `<component>.<port>` such as `broker.mqtts`; any other port is a free one. */
  readonly ports: Readonly<Record<string, number>>;
  readonly retention: Retention;
  readonly images: {
    readonly source: ImageSource;
    /** `absent` leaves Grafana out, which `status` says. */
    readonly grafana: "present" | "absent";
  };
  readonly docker: {
    /** Address of this host that published ports listen on. */
    readonly publishAddress: string;
    /** Private IPv4 /16 that the networks of the deployment are cut from, such as `10.213.0.0/16`. */
    readonly subnets: string;
  };
  readonly state: StateBackend;
  /** Whether the allowlist and the recipient key of a vectors file are added; `dev` only, never from a file. */
  readonly fixture: boolean;
}
