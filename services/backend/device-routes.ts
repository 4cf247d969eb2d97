import type { DatabaseSync } from "node:sqlite";
import { parseCsr } from "../../certs/csr.ts";
import type { Route } from "../runtime/http.ts";
import { parseBody } from "../runtime/parse-body.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";
import type { CertifyGateway } from "./enrolment/certify.ts";
import { vouchedGateway } from "./enrolment/decide.ts";
import { DEVICE_ENROLMENT, type Gate } from "./gate.ts";
import { csrBody } from "./pki-requests.ts";
import { renderNewToken } from "./render.ts";
import type { EnrolmentTokens } from "./tokens/enrolment-tokens.ts";
import { tokenErrors } from "./tokens/errors.ts";
import type { Tokens } from "./tokens/tokens.ts";

/** Days of the first token, which is bound to the first certificate and lives as long. */
const TOKEN_DAYS = 90;

/** The parts that the route of devices calls. */
export interface DeviceRouteParts {
  readonly db: DatabaseSync;
  readonly tenant: string;
  readonly gate: Pick<Gate, "deviceOf">;
  readonly enrolmentTokens: Pick<EnrolmentTokens, "assertOpen" | "consume">;
  readonly certify: CertifyGateway;
  readonly tokens: Pick<Tokens, "renew">;
  readonly events: Pick<SecurityEvents, "emit">;
}

/**
 * What a made device calls with its own certificate and an enrolment token: it gets its first certificate and its first bearer
 * token, and the enrolment token is used up in the transaction that records both. Of two at one moment the second finds it
 * used, and what was signed for that one is revoked unseen.
 */
export function deviceRoutes(parts: DeviceRouteParts): readonly Route[] {
  const { db, tenant, gate, enrolmentTokens, certify, tokens, events } = parts;
  return [
    {
      method: "POST",
      path: DEVICE_ENROLMENT,
      handler: async (body, { message }) => {
        const { der: deviceDer, enrolmentToken } = gate.deviceOf(message);
        const { csr: csrPem } = parseBody(csrBody, body);
        const { gateway } = vouchedGateway({ db, tenant }, { csr: await parseCsr(csrPem), deviceDer });
        const { name } = gateway;
        const assertHolds = (): void => enrolmentTokens.assertOpen(enrolmentToken.id);
        const { chain, alongside: token } = await certify(
          { name, csrPem, renewing: false, assertHolds },
          ({ sha256 }) => {
            if (sha256 === null) throw tokenErrors.error("TOKEN_NO_CERTIFICATE", `no certificate of ${name}`);
            enrolmentTokens.consume(enrolmentToken.id);
            return tokens.renew({ gateway: name, certificateSha256: sha256, lifetimeDays: TOKEN_DAYS });
          },
        );
        events.emit({ kind: "TOKEN_ISSUED", actor: name, object: name, reason: token.id });
        return { chain, token: renderNewToken(token) };
      },
    },
  ];
}
