import { serverName } from "../../model/placement.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { gatewayTemplate } from "./gateway-template.ts";

/** Name of the one provisioner, as tokens name their issuer. */
export const PROVISIONER = "gateways";

/** What step-ca's configuration is rendered from. */
export interface CaJsonOptions {
  readonly tenant: string;
  /** Common names that it may issue, `gw-…`, and no other. */
  readonly gateways: readonly string[];
  /** Common name of the service that vouches for a gateway. */
  readonly vouching: string;
  readonly listenHost: string;
  readonly port: number;
  readonly servername: string;
  readonly rootFile: string;
  readonly certFile: string;
  /** Private key, encrypted. */
  readonly keyFile: string;
  readonly databaseFile: string;
}

/**
 * step-ca's configuration but for one thing: the certificate that the provisioner's tokens must chain to is no file name but
 * the certificate itself, which is not there before the deployment's authorities are ({@link withAnchor}).
 */
export function caJson(options: CaJsonOptions) {
  const { tenant, gateways, servername } = options;
  const day = "24h";
  return {
    root: options.rootFile,
    crt: options.certFile,
    key: options.keyFile,
    address: `${options.listenHost}:${options.port}`,
    dnsNames: [servername, "127.0.0.1"],
    commonName: servername,
    tls: { minVersion: 1.3, maxVersion: 1.3, renegotiation: false },
    logger: { format: "json" },
    db: { type: "bbolt", dataSource: options.databaseFile },
    authority: {
      enableAdmin: false,
      claims: {
        minTLSCertDuration: "5m",
        defaultTLSCertDuration: day,
        maxTLSCertDuration: day,
        disableRenewal: true,
        enableSSHCA: false,
      },
      policy: {
        x509: {
          allow: { cn: gateways, dns: gateways.map((name) => `${name}.${serverName("gateways", tenant)}`) },
          allowWildcardNames: false,
        },
      },
      provisioners: [
        {
          type: "X5C",
          name: PROVISIONER,
          roots: "",
          options: { x509: { template: gatewayTemplate(tenant, options.vouching) } },
        },
      ],
    },
  };
}

/** The configuration `content` with the certificate that the provisioner's tokens must chain to, PEM. */
export function withAnchor(content: string, anchorPem: string): string {
  const config = JSON.parse(content) as ReturnType<typeof caJson>;
  const roots = Buffer.from(anchorPem).toString("base64");
  const provisioners = config.authority.provisioners.map((each) => ({ ...each, roots }));
  return `${stableJson({ ...config, authority: { ...config.authority, provisioners } }, 2)}\n`;
}
