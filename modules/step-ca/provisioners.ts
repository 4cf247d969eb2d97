import type { OnlineClass } from "../../certs/names.ts";
import { PROVISIONERS } from "../../certs/step-ca/names.ts";
import type { PublicJwk } from "../../certs/step-ca/tokens.ts";
import { leafTemplate, REVOKES_ONLY, WEBHOOK } from "./templates.ts";

/** A webhook of step-ca's configuration. Its client is TLS with step-ca's own certificate. */
interface Webhook {
  /** The provisioner's name: step-ca sends this in a header, and the name itself nowhere. */
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly kind: "ENRICHING";
  readonly certType: "X509";
}

/** A provisioner of step-ca's configuration. What it trusts is added where the deployment's authorities are. */
export interface Provisioner {
  readonly type: "JWK" | "X5C";
  readonly name: string;
  /** Of an X5C: PEM bundle, base64. */
  readonly roots?: string;
  /** Of a JWK. */
  readonly key?: PublicJwk;
  readonly options: { readonly x509: { readonly template: string }; readonly webhooks?: readonly Webhook[] };
}

/** What the provisioners are rendered from. */
export interface ProvisionersOptions {
  readonly leafClass: OnlineClass;
  readonly tenant: string;
  /** `https://host:port` of the backend. */
  readonly backendUrl: string;
}

/**
 * Who may vouch, and with what. For gateways: devices with the certificate of their maker, and the backend. For operators: the
 * operators' key; the backend can revoke there and nothing more.
 */
export function provisioners({ leafClass, tenant, backendUrl }: ProvisionersOptions): readonly Provisioner[] {
  const options = (id: string): Provisioner["options"] => ({
    x509: { template: leafTemplate(leafClass, tenant) },
    webhooks: [
      { id, name: WEBHOOK, url: `${backendUrl}/v1/enrolment/${leafClass}`, kind: "ENRICHING", certType: "X509" },
    ],
  });
  const { makers, backend, operators } = PROVISIONERS;
  if (leafClass === "operators") {
    return [
      { type: "JWK", name: operators, options: options(operators) },
      { type: "JWK", name: backend, options: { x509: { template: REVOKES_ONLY } } },
    ];
  }
  return [
    { type: "X5C", name: makers, options: options(makers) },
    { type: "JWK", name: backend, options: options(backend) },
  ];
}
