import { X509Certificate } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { bytesOfHex, hexOf } from "../../protocol/hex.ts";
import { importP256Point } from "../../protocol/signature.ts";
import type { Route } from "../runtime/http.ts";
import { parseBody } from "../runtime/parse-body.ts";
import type { CertifyGateway } from "./enrolment/certify.ts";
import type { Contacts } from "./fleet/contacts.ts";
import { importDeviceRecord } from "./fleet/device-records.ts";
import { fleetErrors } from "./fleet/errors.ts";
import type { Gateways } from "./fleet/gateways.ts";
import type { MadeDevices } from "./fleet/made-devices.ts";
import type { Makers } from "./fleet/makers.ts";
import { csrBody, deviceRecordBody, gatewayBody, makerBody, params as partsOf, revokeBody } from "./pki-requests.ts";
import type { Recorder } from "./recorder.ts";
import { renderContact, renderGateway, renderMadeDevice, renderMaker } from "./render.ts";
import { attributeOf } from "./revocation/chain.ts";

/** The parts that the routes of makers, made devices and gateways call. */
export interface FleetRouteParts {
  readonly db: DatabaseSync;
  readonly tenant: string;
  readonly makers: Makers;
  readonly madeDevices: MadeDevices;
  readonly gateways: Gateways;
  readonly contacts: Pick<Contacts, "of">;
  readonly certify: CertifyGateway;
  readonly recorder: Recorder;
  readonly anchorsPem: () => string;
  readonly publisher: { readonly allowlistsChanged: () => void };
  readonly now: () => number;
}

/** Routes of makers, made devices and gateways, for operators. */
export function fleetRoutes(parts: FleetRouteParts): readonly Route[] {
  return [...makerRoutes(parts), ...deviceRoutes(parts), ...gatewayRoutes(parts)];
}

function makerRoutes({ makers, recorder, tenant, anchorsPem, publisher }: FleetRouteParts): readonly Route[] {
  return [
    { method: "GET", path: "/v1/makers", handler: () => makers.list().map(renderMaker) },
    {
      method: "PUT",
      path: "/v1/makers/:maker",
      handler: (body, { params }) => {
        const name = parseBody(partsOf.makerName, params.maker);
        const { public_key, certificate_pem: pem } = parseBody(makerBody, body);
        const publicKey = makerKey({ tenant, name, publicKey: public_key, pem, anchorsPem: anchorsPem() });
        return renderMaker(makers.put({ name, publicKey, certificatePem: pem ?? null }));
      },
    },
    {
      method: "POST",
      path: "/v1/makers/:maker/revoke",
      handler: async (_, { params, message }) => {
        const name = parseBody(partsOf.label, decodeURIComponent(params.maker ?? ""));
        const maker = await recorder.revoking(message, `maker ${name}`, () => makers.revoke(name));
        publisher.allowlistsChanged();
        return renderMaker(maker);
      },
    },
  ];
}

function deviceRoutes({ db, madeDevices, recorder, publisher, now }: FleetRouteParts): readonly Route[] {
  return [
    { method: "GET", path: "/v1/device-records", handler: () => madeDevices.list().map(renderMadeDevice) },
    {
      method: "POST",
      path: "/v1/device-records",
      handler: (body) => importDeviceRecord(db, parseBody(deviceRecordBody, body).record, now()),
    },
    {
      method: "POST",
      path: "/v1/device-records/:hardwareId/revoke",
      handler: async (_, { params, message }) => {
        const id = parseBody(partsOf.hardwareId, params.hardwareId);
        const device = await recorder.revoking(message, `device ${id}`, () => madeDevices.revoke(id));
        publisher.allowlistsChanged();
        return renderMadeDevice(device);
      },
    },
  ];
}

function gatewayRoutes({ gateways, contacts, certify, recorder }: FleetRouteParts): readonly Route[] {
  const nameOf = (params: Readonly<Record<string, string>>): string => parseBody(partsOf.gatewayName, params.name);
  return [
    {
      method: "GET",
      path: "/v1/gateways",
      handler: () =>
        gateways.list().map((each) => ({ ...renderGateway(each), ...renderContact(contacts.of(each.name)) })),
    },
    {
      method: "PUT",
      path: "/v1/gateways/:name",
      handler: (body, { params }) =>
        renderGateway(gateways.assign(nameOf(params), parseBody(gatewayBody, body).hardware_id)),
    },
    {
      method: "POST",
      path: "/v1/gateways/:name/allow-again",
      handler: (_, { params }) => renderGateway(gateways.allowAgain(nameOf(params))),
    },
    {
      method: "POST",
      path: "/v1/gateways/:name/certificate",
      handler: async (body, { params }) => {
        const { csr: csrPem } = parseBody(csrBody, body);
        const request = { name: nameOf(params), csrPem, renewing: false };
        const { chain, record } = await certify(request, () => undefined);
        return { chain, serial: record.serial };
      },
    },
    {
      method: "POST",
      path: "/v1/gateways/:name/revoke",
      handler: async (body, { params, message }) => {
        const { reason } = parseBody(revokeBody, body);
        const name = nameOf(params);
        return renderGateway(await recorder.revoking(message, reason, () => gateways.revoke(name, reason)));
      },
    },
  ];
}

interface MakerKey {
  readonly tenant: string;
  readonly name: string;
  readonly publicKey: string | undefined;
  readonly pem: string | undefined;
  readonly anchorsPem: string;
}

/** The key that a maker is registered with; a certificate has to be that of its authority in this deployment. */
function makerKey({ tenant, name, publicKey, pem, anchorsPem }: MakerKey): string {
  const invalid = (message: string): Error => fleetErrors.error("MAKER_KEY_INVALID", message, { path: name });
  if (publicKey !== undefined) importP256Point(bytesOfHex(publicKey));
  if (pem === undefined) return publicKey ?? "";
  const certificate = z.string().transform((text) => new X509Certificate(text));
  let authority: X509Certificate;
  try {
    authority = certificate.parse(pem);
  } catch {
    throw invalid("the certificate cannot be read");
  }
  const anchors = anchorsPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const roots = anchors.map((anchor) => new X509Certificate(anchor));
  if (!authority.ca || !roots.some((root) => authority.checkIssued(root) && authority.verify(root.publicKey)))
    throw invalid("no authority that a trust anchor of this deployment signed");
  if (attributeOf(authority, "O") !== tenant || attributeOf(authority, "CN") !== `TrustKern maker ${name}`)
    throw invalid(`the authority of "${attributeOf(authority, "CN")}", not of "TrustKern maker ${name}"`);
  const key = hexOf(authority.publicKey.export({ format: "raw-public" }));
  if (publicKey !== undefined && publicKey !== key) throw invalid("public_key is not the key of the certificate");
  return key;
}
