import type { IncomingMessage } from "node:http";
import type { SecurityEventKind } from "../../shared/security-event.ts";
import type { Route } from "../runtime/http.ts";
import { callerOf } from "../runtime/mutual-server.ts";
import { parseBody } from "../runtime/parse-body.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";
import type { Gateways } from "./fleet/gateways.ts";
import { enrolmentTokenBody, params as partsOf, rotateBody, tokenBody } from "./pki-requests.ts";
import { renderNewToken, renderToken } from "./render.ts";
import type { Certificates } from "./revocation/certificates.ts";
import type { EnrolmentTokens } from "./tokens/enrolment-tokens.ts";
import { tokenErrors } from "./tokens/errors.ts";
import type { Tokens } from "./tokens/tokens.ts";

/** The parts that the routes of tokens call. */
export interface TokenRouteParts {
  readonly gateways: Pick<Gateways, "requireActive">;
  readonly certificates: Pick<Certificates, "get" | "newestOf" | "bySha256">;
  readonly tokens: Tokens;
  readonly enrolmentTokens: Pick<EnrolmentTokens, "issue">;
  readonly events: Pick<SecurityEvents, "emit">;
}

/** Routes of the gateways' tokens, for operators. A token's secret is in the answer that makes it, and nowhere else. */
export function tokenRoutes({
  gateways,
  certificates,
  tokens,
  enrolmentTokens,
  events,
}: TokenRouteParts): readonly Route[] {
  const nameOf = (params: Readonly<Record<string, string>>): string =>
    gateways.requireActive(parseBody(partsOf.gatewayName, params.name)).name;
  const announce = (kind: SecurityEventKind, object: string, reason: string, message: IncomingMessage): void =>
    events.emit({ kind, actor: callerOf(message) ?? "unknown", object, reason });
  /** Serial number of the certificate that the newest of its tokens works with, while both are good. */
  const inUse = (gateway: string): string | undefined => {
    const valid = tokens.valid(gateway).toSorted((a, b) => b.issuedAtMs - a.issuedAtMs);
    return valid.flatMap(({ certificateSha256 }) => certificates.bySha256(certificateSha256)?.serial ?? [])[0];
  };
  return [
    {
      method: "GET",
      path: "/v1/gateways/:name/tokens",
      handler: (_, { params }) => tokens.list(parseBody(partsOf.gatewayName, params.name)).map(renderToken),
    },
    {
      method: "POST",
      path: "/v1/gateways/:name/tokens",
      handler: (body, { params, message }) => {
        const gateway = nameOf(params);
        const { certificate_serial, lifetime_days: lifetimeDays } = parseBody(tokenBody, body);
        const certificateSha256 = certificateOf(certificates, gateway, certificate_serial);
        const issued = tokens.issue({ gateway, certificateSha256, lifetimeDays });
        announce("TOKEN_ISSUED", gateway, issued.id, message);
        return renderNewToken(issued);
      },
    },
    {
      method: "POST",
      path: "/v1/gateways/:name/enrolment-tokens",
      handler: (body, { params, message }) => {
        const gateway = gateways.requireActive(parseBody(partsOf.gatewayName, params.name));
        const { lifetime_hours: lifetimeHours } = parseBody(enrolmentTokenBody, body);
        const issued = enrolmentTokens.issue({ gateway, lifetimeHours });
        announce("TOKEN_ISSUED", gateway.name, `enrolment ${issued.id}`, message);
        return renderNewToken(issued);
      },
    },
    {
      method: "POST",
      path: "/v1/gateways/:name/tokens/rotate",
      handler: (body, { params, message }) => {
        const gateway = nameOf(params);
        const {
          certificate_serial,
          lifetime_days: lifetimeDays,
          overlap_hours: overlapHours,
        } = parseBody(rotateBody, body);
        const certificateSha256 = certificateOf(certificates, gateway, certificate_serial ?? inUse(gateway));
        const issued = tokens.rotate({ gateway, certificateSha256, lifetimeDays, overlapHours });
        announce("TOKEN_ISSUED", gateway, issued.id, message);
        return renderNewToken(issued);
      },
    },
    {
      method: "POST",
      path: "/v1/gateways/:name/tokens/:id/revoke",
      handler: (_, { params, message }) => {
        const gateway = parseBody(partsOf.gatewayName, params.name);
        const revoked = tokens.revoke(gateway, parseBody(partsOf.tokenId, params.id));
        announce("TOKEN_REVOKED", gateway, revoked.id, message);
        return renderToken(revoked);
      },
    },
  ];
}

function certificateOf(
  certificates: Pick<Certificates, "get" | "newestOf">,
  gateway: string,
  serial: string | undefined,
): string {
  const found = serial === undefined ? certificates.newestOf(gateway) : certificates.get(serial);
  if (found?.name === gateway && found.leafClass === "gateways" && found.state === "issued" && found.sha256 !== null)
    return found.sha256;
  const which = serial === undefined ? "no valid certificate is known" : `certificate ${serial} is not a valid one`;
  throw tokenErrors.error("TOKEN_NO_CERTIFICATE", `${which} of gateway ${gateway}`, { path: "certificate_serial" });
}
