/** Parts of a deployment that may run elsewhere, looked after by the platform's own team: named as their components. */
export const EXTERNAL_PARTS = ["database", "loki", "prometheus", "grafana", "gateways-ca", "operators-ca"] as const;

/** One of {@link EXTERNAL_PARTS}. */
export type ExternalPart = (typeof EXTERNAL_PARTS)[number];

/**
 * Who is at the other end of a connection that leaves the deployment's namespace, as a network policy can say it: addresses, or
 * pods of another namespace. A DNS name is none of these.
 */
export type Peers =
  | {
      readonly kind: "addresses";
      /** Networks in CIDR form, such as `10.20.0.0/24`. */
      readonly networks: readonly string[];
    }
  | {
      readonly kind: "pods";
      readonly namespace: string;
      /** Labels that a pod has all of. */
      readonly labels: Readonly<Record<string, string>>;
    };

/** Where the cluster's names are asked for, over UDP and TCP. */
export interface Resolver {
  /** One at least, of different kinds. */
  readonly peers: readonly Peers[];
  /** As a network policy sees it: that of the pods behind a Service. */
  readonly port: number;
}

/** A part that the deployment uses or is read by, and that it does not run. */
export interface ExternalServer {
  /** DNS name or IP address; of who only connects, such as Grafana, nobody asks it. */
  readonly host: string;
  readonly port: number;
  /** Name to verify its certificate against. @default its host */
  readonly servername: string;
  readonly peers: Peers;
  /** Absolute path of the authorities, PEM, that its certificate is verified with. @default the deployment's own root */
  readonly caFile: string | undefined;
  /** Region of its provider. @default the hosting's */
  readonly region: string | undefined;
}

/** How Kubernetes hands published ports out. */
export const SERVICE_KINDS = ["ClusterIP", "LoadBalancer"] as const;

/** What the engine `kubernetes` needs to know of its cluster. */
export interface KubernetesSettings {
  readonly namespace: string;
  /** Of every volume. @default the cluster's own */
  readonly storageClass: string | undefined;
  /** Bytes of the database's volume. */
  readonly databaseBytes: number;
  /** Collectors at least, and at most when the processors are busy. */
  readonly collector: { readonly min: number; readonly max: number };
  readonly custody: { readonly replicas: number };
  readonly publish: {
    readonly service: (typeof SERVICE_KINDS)[number];
    /** Networks from which published ports may be reached; none is nobody. */
    readonly from: readonly string[];
  };
  /** Who answers for names. @default kube-dns in kube-system, at 53 */
  readonly resolver: Resolver;
  /** Where custody reaches what wraps its keys. */
  readonly keys: Peers | undefined;
  /** Where the online authorities reach what signs for them. */
  readonly issuingKeys: Peers | undefined;
  readonly external: Readonly<Partial<Record<ExternalPart, ExternalServer>>>;
}
