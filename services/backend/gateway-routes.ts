import type { IncomingMessage } from "node:http";
import type { OnlineClass } from "../../certs/step-ca/names.ts";
import { dsseSign } from "../../protocol/dsse.ts";
import { createGatewayConfiguration } from "../../protocol/gateway-configuration.ts";
import type { Route } from "../runtime/http.ts";
import { parseBody } from "../runtime/parse-body.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";
import type { CertifyGateway } from "./enrolment/certify.ts";
import type { Enrolment } from "./enrolment/enrolment.ts";
import { type Renewals, renewingOf } from "./enrolment/renewals.ts";
import { PROVISIONER_HEADER, provisionerName, webhookBody } from "./enrolment/requests.ts";
import { authorityOf, type Contacts, trustIn } from "./fleet/contacts.ts";
import type { Gate } from "./gate.ts";
import { csrBody } from "./pki-requests.ts";
import { renderNewToken } from "./render.ts";
import { tokenErrors } from "./tokens/errors.ts";
import type { Tokens } from "./tokens/tokens.ts";
import type { Allowlists } from "./trust/allowlists.ts";
import type { GatewaySettings } from "./trust/gateway-trust.ts";
import type { SigningKey } from "./trust/keys.ts";

/** DSSE payload type of the document that names a gateway's firmware. */
const FIRMWARE_TYPE = "application/vnd.trustkern.gateway-firmware+json";

/** Days of a token that comes with a new certificate, which lives as long. */
const TOKEN_DAYS = 90;

/** The parts that the gateways' own routes call. */
export interface GatewayRouteParts {
  readonly gate: Pick<Gate, "gatewayOf" | "assertHolds">;
  readonly contacts: Pick<Contacts, "shown" | "trusts">;
  readonly allowlists: Pick<Allowlists, "signed">;
  readonly settings: Pick<GatewaySettings, "trust" | "firmware">;
  readonly key: Pick<SigningKey, "signerFor">;
  readonly renewals: Renewals;
  readonly certify: CertifyGateway;
  readonly tokens: Pick<Tokens, "renew">;
  readonly events: Pick<SecurityEvents, "emit">;
  readonly now: () => number;
}

/** What a gateway fetches with certificate and token. */
export function gatewayRoutes({
  gate,
  contacts,
  allowlists,
  settings,
  key,
  renewals,
  certify,
  tokens,
  events,
  now,
}: GatewayRouteParts): readonly Route[] {
  const gatewayOf = (message: IncomingMessage): string => {
    const { name, sha256 } = gate.gatewayOf(message);
    contacts.shown({ gateway: name, certificateSha256: sha256, authoritySha256: authorityOf(message) });
    return name;
  };
  return [
    {
      method: "GET",
      path: "/v1/gateway/allowlist",
      handler: async (_, { message }) => JSON.parse((await allowlists.signed(`gateway/${gatewayOf(message)}`)).dsse),
    },
    {
      method: "GET",
      path: "/v1/gateway/configuration",
      handler: async (_, { message, query }) => {
        const gateway = gatewayOf(message);
        const audience = `gateway/${gateway}` as const;
        const trust = settings.trust();
        const inForce = trustIn(query);
        if (inForce) contacts.trusts(gateway, inForce);
        const { version, anchors, pins, gatewayAuthorities } = trust;
        const document = { audience, version, issuedAtMs: now(), anchors, brokerPins: pins, gatewayAuthorities };
        return { dsse: await createGatewayConfiguration(document, key.signerFor("gateway-configuration", audience)) };
      },
    },
    {
      method: "GET",
      path: "/v1/gateway/firmware",
      handler: async (_, { message }) => {
        const audience = `gateway/${gatewayOf(message)}`;
        const issued_at = new Date(now()).toISOString();
        const document = { schema: "trustkern.gateway-firmware/1", audience, issued_at, ...settings.firmware() };
        const bytes = Buffer.from(JSON.stringify(document));
        return { dsse: await dsseSign(FIRMWARE_TYPE, bytes, key.signerFor("gateway-firmware", audience)) };
      },
    },
    {
      method: "POST",
      path: "/v1/gateway/certificate",
      handler: async (body, { message }) => {
        const gateway = gatewayOf(message);
        const { csr: csrPem } = parseBody(csrBody, body);
        renewals.admit(renewingOf(gateway, message));
        const assertHolds = (): void => gate.assertHolds(message);
        const request = { name: gateway, csrPem, renewing: true, assertHolds };
        const { chain, alongside: token } = await certify(request, ({ sha256 }) => {
          if (sha256 === null) throw tokenErrors.error("TOKEN_NO_CERTIFICATE", `no certificate of ${gateway}`);
          return tokens.renew({ gateway, certificateSha256: sha256, lifetimeDays: TOKEN_DAYS });
        });
        events.emit({ kind: "TOKEN_ISSUED", actor: gateway, object: gateway, reason: token.id });
        return { chain, token: renderNewToken(token) };
      },
    },
  ];
}

/** What issuers ask before they sign. */
export function enrolmentRoutes(enrol: Enrolment): readonly Route[] {
  return (["gateways", "operators"] as const satisfies readonly OnlineClass[]).map((leafClass) => ({
    method: "POST",
    path: `/v1/enrolment/${leafClass}`,
    handler: (body, { message }) => {
      const provisioner = parseBody(provisionerName, message.headers[PROVISIONER_HEADER]);
      return enrol(leafClass, { ...parseBody(webhookBody, body), provisionerName: provisioner });
    },
  }));
}
