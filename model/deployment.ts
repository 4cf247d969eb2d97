import type { CustodyTerms, KmsWrappingKey, VaultTransit } from "./custody.ts";
import type { KubernetesSettings } from "./kubernetes.ts";

/** What makes components run. */
export const ENGINES = ["embedded", "docker", "kubernetes"] as const;

/** One of {@link ENGINES}. */
export type Engine = (typeof ENGINES)[number];

/** What a deployment may be. */
export const PROFILE_NAMES = ["dev", "eu-hosted", "customer-tenant", "air-gapped"] as const;

/** One of {@link PROFILE_NAMES}. */
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** Who operates the machines of `ingress`, `decryption` and `operations`. */
export const OPERATORS = ["self", "trustkern", "partner", "customer"] as const;

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

/** Where container images come from: a registry, by digest, built on this machine from packages, or loaded from a bundle. */
export const IMAGE_SOURCES = ["registry", "packages", "bundle"] as const;

/** One of {@link IMAGE_SOURCES}. */
export type ImageSource = (typeof IMAGE_SOURCES)[number];

/** Images of other makers' programs: upstream's own, or what `images build` makes, from wherever it is pulled. */
export const FOREIGN_IMAGES = ["upstream", "built"] as const;

/** One of {@link FOREIGN_IMAGES}. */
export type ForeignImages = (typeof FOREIGN_IMAGES)[number];

/** Whether other makers' programs run from upstream's images. */
export function runsUpstream({ source, foreign }: Pick<Deployment["images"], "source" | "foreign">): boolean {
  return (foreign ?? (source === "registry" ? "upstream" : "built")) === "upstream";
}

/**
 * What may leave: `open` (nothing is asked of the host; profile `dev`), `isolated` (nothing), `restricted` (to the hosts of the
 * list alone).
 */
export const EGRESS_MODES = ["open", "isolated", "restricted"] as const;

/** One of {@link EGRESS_MODES}. */
export type EgressMode = (typeof EGRESS_MODES)[number];

/** What a host outside of the deployment is reached for. */
export const EGRESS_PURPOSES = ["state", "images", "keys", "ntp", "siem", "mirror"] as const;

/** One of {@link EGRESS_PURPOSES}. */
export type EgressPurpose = (typeof EGRESS_PURPOSES)[number];

/** A host that the deployment's own host, or a component, may reach. */
export interface EgressHost {
  /** DNS name or IP address. */
  readonly host: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly purpose: EgressPurpose;
  /** Where it is; a region of its provider. */
  readonly region?: string | undefined;
}

/** What may leave the hosting. */
export interface Egress {
  readonly mode: EgressMode;
  /** Empty unless the mode is `restricted`. */
  readonly allow: readonly EgressHost[];
}

/** Whether staff of the vendor may get in: never, as the operator, or as a guest for some time. */
export const SUPPORT_ACCESS = ["off", "operators", "granted"] as const;

/** Whose staff can be guests. */
export const SUPPORT_GUESTS = ["trustkern", "partner"] as const;

/** Who of the vendor may get in. Their certificates are of class operator: 1 h, each issue a record of the ledger. */
export type Support =
  | { readonly access: "off" | "operators" }
  | {
      readonly access: "granted";
      /** Whose staff. */
      readonly to: (typeof SUPPORT_GUESTS)[number];
      /** RFC 3339, UTC. */
      readonly from: string;
      /** RFC 3339, UTC: from then on, nobody gets in. */
      readonly until: string;
      /** In the customer's words; evidence shows it. */
      readonly reason: string;
    };

/** What of its metrics the vendor gets: nothing, or those of `operations`, which are metadata. */
export const VENDOR_TELEMETRY = ["none", "metrics"] as const;

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

/** Where the root's private key can be: an `age` file with a passphrase, a PKCS #11 token, a TPM 2.0. */
export const ROOT_KEYS = ["age", "pkcs11", "tpm2"] as const;

/** Where the private keys of issuing authorities can be; `file` is for profile `dev` alone. */
export const ISSUING_KEYS = ["file", "pkcs11", "tpm2", "aws-kms"] as const;

/** A PKCS #11 token; a key on it has the label `<keyPrefix>-<authority>`. */
export interface Pkcs11Token {
  readonly kind: "pkcs11";
  /** Absolute path of the shared library that drives the token. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  /** Absolute path of the file with the user's PIN. */
  readonly pinFile: string;
  /** The deployment's name, so that several can share a token. */
  readonly keyPrefix: string;
}

/** A TPM 2.0; its keys are files that this one TPM can open. */
export interface Tpm2Device {
  readonly kind: "tpm2";
  /** Absolute path of the device, such as `/dev/tpmrm0`, or of a simulator's socket. */
  readonly device: string;
  /** Absolute path of the folder with the files; an authority's is `<authority>.tss2.pem`. */
  readonly folder: string;
}

/** Keys in AWS KMS (ECC_NIST_P256, SIGN_VERIFY), one for each authority. */
export interface AwsKms {
  readonly kind: "aws-kms";
  readonly region: string;
  /** Key id of each authority. */
  readonly keys: Readonly<Record<"services" | "gateways" | "operators", string>>;
}

/** Where the root's private key is. */
export type RootKey = { readonly kind: "age" } | Pkcs11Token | Tpm2Device;

/** Where the private keys of the issuing authorities are. */
export type IssuingKeys = { readonly kind: "file" } | Pkcs11Token | Tpm2Device | AwsKms;

/** A TPM 2.0 that opens the keys only while its PCRs are what they were. */
export interface Tpm2Sealed extends Omit<Tpm2Device, "folder"> {
  /** Bank and registers, such as `sha256:0,2,4,7`. */
  readonly pcrs: string;
}

/** Where the decryption keys are, and on what terms. */
export type CustodyKeys = CustodyTerms &
  ({ readonly kind: "file" } | Pkcs11Token | Tpm2Sealed | VaultTransit | KmsWrappingKey);

/** One stack, of one tenant, in one boundary: what a `trustkern.yaml` says, with every default filled in. */
export interface Deployment {
  readonly name: string;
  readonly tenant: string;
  readonly profile: ProfileName;
  readonly engine: Engine;
  readonly hosting: Hosting;
  /** Names of the gateways, which are the common names of their certificates: `gw-…`. */
  readonly gateways: readonly string[];
  /** Names of gateways on machines of their own, which enrol by themselves and are no components here. @default none */
  readonly gatewaysElsewhere: readonly string[];
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
    /** Registry that every image is pulled from, `host[:port][/path]`. @default each image's own */
    readonly mirror?: string | undefined;
    /** Absolute path of the public key, PEM, that signed the images. @default signatures are not asked for */
    readonly signedBy?: string | undefined;
    /**
     * Whose images of other makers' programs, the database's among them. `packages` can only be `built`.
     * @default `upstream` with source `registry`, else `built`
     */
    readonly foreign?: ForeignImages | undefined;
  };
  readonly egress: Egress;
  readonly support: Support;
  readonly telemetry: {
    /** `metrics` publishes Prometheus, to whoever has the certificate of `svc-vendor-metrics`. */
    readonly vendor: (typeof VENDOR_TELEMETRY)[number];
  };
  readonly docker: {
    /** Address of this host that published ports listen on. */
    readonly publishAddress: string;
    /** Private IPv4 /16 that the networks of the deployment are cut from, such as `10.213.0.0/16`. */
    readonly subnets: string;
    /**
     * Socket of the host's `p11-kit server`, by which containers reach the token of `pki.issuing`: an absolute path that ends in
     * `/sock`, in a folder with nothing else.
     */
    readonly tokenSocket: string;
    /** Socket of `trustkern keys token-server`, by which custody's container uses the token of `custody`; in another folder. */
    readonly custodySocket: string;
  };
  readonly kubernetes: KubernetesSettings;
  readonly state: StateBackend;
  /** Where the private keys of the authorities are. */
  readonly pki: { readonly root: RootKey; readonly issuing: IssuingKeys };
  /** Where the decryption keys are. */
  readonly custody: CustodyKeys;
  /** Whether the allowlist and the recipient key of a vectors file are added; `dev` only, never from a file. */
  readonly fixture: boolean;
}
