import type { DatabaseSync } from "node:sqlite";
import type { Route } from "../runtime/http.ts";
import { callerOf } from "../runtime/mutual-server.ts";
import { parseBody } from "../runtime/parse-body.ts";
import type { Issuers } from "./enrolment/issuing.ts";
import type { Journal } from "./journal.ts";
import { certificateBody, crlsBody, firmwareBody, params as partsOf, revokeBody, trustBody } from "./pki-requests.ts";
import type { Recorder } from "./recorder.ts";
import { renderCertificate, renderCrl } from "./render.ts";
import type { Authorities } from "./revocation/authorities.ts";
import type { Certificates } from "./revocation/certificates.ts";
import type { Crls } from "./revocation/crls.ts";
import type { Revoker } from "./revocation/revoker.ts";
import { endedSessions } from "./revocation/sessions.ts";
import type { GatewaySettings } from "./trust/gateway-trust.ts";

/** The parts that the routes of certificates and revocation lists call. */
export interface PkiRouteParts {
  readonly db: DatabaseSync;
  readonly certificates: Certificates;
  readonly crls: Crls;
  readonly authorities: Pick<Authorities, "learn">;
  readonly revoker: Revoker;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly settings: GatewaySettings;
  readonly issuers: Issuers;
}

/** Routes of certificates, revocation lists, the audit and what gateways trust. */
export function pkiRoutes(parts: PkiRouteParts): readonly Route[] {
  return [...crlRoutes(parts), ...certificateRoutes(parts), ...settingRoutes(parts)];
}

function crlRoutes({ db, crls, authorities, revoker }: PkiRouteParts): readonly Route[] {
  const list = () => ({ crls: crls.list().map(renderCrl) });
  return [
    { method: "GET", path: "/v1/crls", handler: list },
    {
      method: "PUT",
      path: "/v1/crls",
      handler: async (body, { message }) => {
        const { crls: pems, issuers } = parseBody(crlsBody, body);
        for (const pem of issuers) authorities.learn(pem);
        for (const pem of pems) await revoker.take(pem, callerOf(message) ?? "unknown");
        return list();
      },
    },
    {
      method: "GET",
      path: "/v1/broker/trust",
      handler: (_, { query }) => {
        const after = Number(query.get("after") ?? 0);
        return { ...list(), ended: endedSessions(db, Number.isSafeInteger(after) ? after : 0) };
      },
    },
  ];
}

function certificateRoutes({
  certificates,
  crls,
  recorder,
  revoker,
  journal,
  issuers,
}: PkiRouteParts): readonly Route[] {
  return [
    { method: "GET", path: "/v1/certificates", handler: () => certificates.list().map(renderCertificate) },
    {
      method: "POST",
      path: "/v1/certificates",
      handler: async (body, { message }) => {
        const { chain_pem } = parseBody(certificateBody, body);
        return renderCertificate(await recorder.record(chain_pem, callerOf(message) ?? "unknown"));
      },
    },
    {
      method: "POST",
      path: "/v1/certificates/:serial/revoke",
      handler: async (body, { params, message }) => {
        const serial = parseBody(partsOf.serialNumber, params.serial);
        const { reason } = parseBody(revokeBody, body);
        const record = await recorder.revoking(message, reason, () => certificates.revoke(serial, reason));
        if (record.leafClass in issuers) await revoker.run();
        const list = crls.list().find(({ issuer }) => issuer === record.issuer);
        const listed = crls.names(record.issuer, serial);
        return { ...renderCertificate(record), crl_number: listed && list ? String(list.number) : null };
      },
    },
    { method: "GET", path: "/v1/audit", handler: () => journal.read() },
  ];
}

function settingRoutes({ settings }: PkiRouteParts): readonly Route[] {
  return [
    {
      method: "PUT",
      path: "/v1/trust",
      handler: (body) => {
        const { anchors, broker_pins, gateway_authorities } = parseBody(trustBody, body);
        const authorities = gateway_authorities && { gatewayAuthorities: gateway_authorities };
        const set = settings.setTrust({ anchors, pins: broker_pins, ...authorities });
        const { version, pins, gatewayAuthorities } = set;
        return { version, anchors: set.anchors, broker_pins: pins, gateway_authorities: gatewayAuthorities };
      },
    },
    { method: "PUT", path: "/v1/firmware", handler: (body) => settings.setFirmware(parseBody(firmwareBody, body)) },
  ];
}
