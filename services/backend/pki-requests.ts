import { z } from "zod";
import { gatewayName, hardwareId, hex, label, makerName, point, serialNumber } from "./request-parts.ts";
import { REVOCATION_REASONS } from "./revocation/reasons.ts";

const pem = z.string().min(64).max(65_536);
const reason = z.enum(REVOCATION_REASONS).default("unspecified");

/** Body of `PUT /v1/crls`; `issuers` are authorities that the backend may not know yet. */
export const crlsBody = z.strictObject({
  crls: z.array(z.string().min(64).max(1_048_576)).min(1).max(64),
  issuers: z.array(pem).max(64).default([]),
});

/** Body of `POST /v1/certificates`. */
export const certificateBody = z.strictObject({ chain_pem: pem });

/** Body of the routes that revoke; none stands for no reason. */
export const revokeBody = z.strictObject({ reason }).default({ reason: "unspecified" });

/** Body of `PUT /v1/makers/:maker`: its key, or the certificate of its authority, or both for one key. */
export const makerBody = z
  .strictObject({ public_key: point.optional(), certificate_pem: pem.optional() })
  .refine(({ public_key, certificate_pem }) => (public_key ?? certificate_pem) !== undefined, {
    message: "must have public_key or certificate_pem",
  });

/** Body of `POST /v1/device-records`. */
export const deviceRecordBody = z.strictObject({ record: z.string().min(1).max(4_194_304) });

/** Body of `PUT /v1/gateways/:name`. */
export const gatewayBody = z.strictObject({ hardware_id: hardwareId });

const lifetimeDays = z.int().min(1).max(365).default(90);

/** Body of `POST /v1/gateways/:name/tokens`. */
export const tokenBody = z
  .strictObject({ certificate_serial: serialNumber.optional(), lifetime_days: lifetimeDays })
  .default({ lifetime_days: 90 });

/** Body of `POST /v1/gateways/:name/enrolment-tokens`. */
export const enrolmentTokenBody = z
  .strictObject({ lifetime_hours: z.int().min(1).max(168).default(168) })
  .default({ lifetime_hours: 168 });

/** Body of `POST /v1/gateways/:name/tokens/rotate`. */
export const rotateBody = z
  .strictObject({
    certificate_serial: serialNumber.optional(),
    lifetime_days: lifetimeDays,
    overlap_hours: z.number().min(0).max(168).default(24),
  })
  .default({ lifetime_days: 90, overlap_hours: 24 });

/** Body of the routes that take a certificate request. */
export const csrBody = z.strictObject({ csr: z.string().min(64).max(16_384) });

/** Body of `PUT /v1/trust`. */
export const trustBody = z.strictObject({
  anchors: z.array(pem).min(1).max(8),
  broker_pins: z.array(hex(32)).min(1).max(8),
  gateway_authorities: z.array(hex(32)).max(8).optional(),
});

/** Body of `PUT /v1/firmware`. */
export const firmwareBody = z.strictObject({ version: label, sha256: hex(32), size: z.int().min(1) });

/** Parts of paths. */
export const params = { gatewayName, hardwareId, makerName, serialNumber, label, tokenId: hex(8) };
