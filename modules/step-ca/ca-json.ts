import type { OnlineClass } from "../../certs/names.ts";
import { classDomain } from "../../certs/names.ts";
import { crlUrl } from "../../certs/step-ca/names.ts";
import type { PublicJwk } from "../../certs/step-ca/tokens.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { type Provisioner, provisioners } from "./provisioners.ts";

/** Longest life of a leaf of each class, which is the usual one as well. */
const LIFETIMES = { gateways: "2160h", operators: "1h" } as const satisfies Record<OnlineClass, string>;

/** What step-ca's configuration is rendered from. */
export interface CaJsonOptions {
  readonly leafClass: OnlineClass;
  readonly tenant: string;
  /** Common names that it may issue, and no other. */
  readonly names: readonly string[];
  /** `https://host:port` of the backend. */
  readonly backendUrl: string;
  readonly listenHost: string;
  readonly port: number;
  readonly servername: string;
  readonly rootFile: string;
  readonly certFile: string;
  /** The authority's private key: a file, or a URI of a key management system. */
  readonly key: string;
  /** step-ca's `kms` member. @default none: the key is a file */
  readonly kms?: Readonly<Record<string, unknown>> | undefined;
  readonly databaseFile: string;
}

/** What the provisioners of a configuration trust. */
export interface Trusted {
  /** Certificates of the makers' authorities, PEM; none where no maker is known yet. */
  readonly makersPem: string;
  /** Public keys by the provisioner's name. */
  readonly keys: Readonly<Record<string, PublicJwk>>;
  /** Name of the authority's own key on its device, once a rotation has made another. @default as it was rendered */
  readonly key?: string | undefined;
}

/**
 * step-ca's configuration but for one thing: the certificates and keys that its provisioners trust are no file names but the
 * content itself, which is not there before the deployment's authorities are ({@link withTrusted}).
 */
export function caJson(options: CaJsonOptions) {
  const { leafClass, tenant, names, servername, kms } = options;
  const lifetime = LIFETIMES[leafClass];
  return {
    root: options.rootFile,
    crt: options.certFile,
    key: options.key,
    ...(kms === undefined ? {} : { kms }),
    address: `${options.listenHost}:${options.port}`,
    dnsNames: [servername, "127.0.0.1"],
    commonName: servername,
    tls: { minVersion: 1.3, maxVersion: 1.3, renegotiation: false },
    logger: { format: "json" },
    db: { type: "bbolt", dataSource: options.databaseFile },
    crl: {
      enabled: true,
      generateOnRevoke: true,
      // Renewed daily, so that 6 days are always ahead.
      cacheDuration: "168h",
      renewPeriod: "24h",
      idpURL: crlUrl(leafClass, tenant),
    },
    authority: {
      enableAdmin: false,
      claims: {
        minTLSCertDuration: "5m",
        defaultTLSCertDuration: lifetime,
        maxTLSCertDuration: lifetime,
        disableRenewal: true,
        enableSSHCA: false,
      },
      policy: {
        x509: {
          allow: { cn: names, dns: names.map((name) => `${name}.${classDomain(leafClass, tenant)}`) },
          allowWildcardNames: false,
        },
      },
      provisioners: provisioners(options),
    },
  };
}

/** The configuration `content` with what its provisioners trust, and its key by name; who would trust nobody is left out. */
export function withTrusted(content: string, { makersPem, keys, key: own }: Trusted): string {
  const config = JSON.parse(content) as ReturnType<typeof caJson>;
  const completed = config.authority.provisioners.flatMap((each): readonly Provisioner[] => {
    if (each.type === "X5C") return makersPem === "" ? [] : [{ ...each, roots: base64(makersPem) }];
    const key = keys[each.name];
    return key === undefined ? [] : [{ ...each, key }];
  });
  const authority = { ...config.authority, provisioners: completed };
  return `${stableJson({ ...config, key: own ?? config.key, authority }, 2)}\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
