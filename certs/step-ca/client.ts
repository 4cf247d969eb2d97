import { createPublicKey, X509Certificate } from "node:crypto";
import { z } from "zod";
import type { TrustKernError } from "../../shared/errors.ts";
import { REASON_CODES, type RevocationReason } from "../crl/reasons.ts";
import { x509 } from "../x509.ts";
import { stepCaErrors } from "./errors.ts";
import { decimalSerial } from "./tokens.ts";
import { askStepCa, type StepCaAnswer, type StepCaEndpoint } from "./transport.ts";

/** What a certificate is asked with. */
export interface SignRequest {
  /** Of `x5cToken` or `jwkToken`, for this request. A secret until it is used. */
  readonly token: string;
  /** PKCS #10, PEM. */
  readonly csrPem: string;
  /** End of the certificate. @default as long as the class lives */
  readonly notAfter?: Date | undefined;
}

/** What a certificate is revoked with. */
export interface RevokeRequest {
  /** Of `jwkToken` with `use: "revoke"` and the decimal serial number as its subject. */
  readonly token: string;
  /** Hex. */
  readonly serial: string;
  readonly reason: RevocationReason;
}

const signed = z.object({ certChain: z.array(z.string()).min(2) });
const refusal = z.object({ message: z.string() });

/**
 * Asks an online authority for a certificate.
 * @returns the leaf and its issuer, PEM
 * @throws STEP_CA_UNREACHABLE
 * @throws STEP_CA_REFUSED with the reason that the backend gave as its path, or `token`, `request`, `policy`, `webhook`
 * @throws STEP_CA_ANSWER when the certificate is for another key
 */
export async function signCsr(ca: StepCaEndpoint, { token, csrPem, notAfter }: SignRequest): Promise<string> {
  const end = notAfter === undefined ? {} : { notAfter: notAfter.toISOString() };
  const answer = await askStepCa(ca, "/1.0/sign", { csr: csrPem, ott: token, ...end });
  if (answer.status !== 201) throw refused(answer, "sign");
  const chain = parseJson(answer.body, signed)
    ?.certChain.map((pem) => `${pem.trim()}\n`)
    .join("");
  if (chain === undefined || !certifies(chain, csrPem)) {
    throw stepCaErrors.error("STEP_CA_ANSWER", "the answer is no certificate of the key that was asked for", {
      path: "certChain",
    });
  }
  return chain;
}

/**
 * Has an online authority revoke a certificate of its own, whoever issued it. What is revoked already stays so.
 * @throws STEP_CA_UNREACHABLE, STEP_CA_REFUSED
 */
export async function revokeCertificate(ca: StepCaEndpoint, { token, serial, reason }: RevokeRequest): Promise<void> {
  const reasonCode = REASON_CODES[reason];
  const body = { serial: decimalSerial(serial), ott: token, reasonCode, reason, passive: true };
  const answer = await askStepCa(ca, "/1.0/revoke", body);
  if (answer.status !== 200 && !isRevokedAlready(answer)) throw refused(answer, "revoke");
}

/**
 * The CRL that an online authority publishes, PEM. Not verified: that is `verifyCrl`'s.
 * @throws STEP_CA_UNREACHABLE, STEP_CA_ANSWER
 */
export async function fetchCrl(ca: StepCaEndpoint): Promise<string> {
  const { status, body } = await askStepCa(ca, "/1.0/crl?pem");
  const pem = body.toString("latin1");
  if (status === 200 && pem.startsWith("-----BEGIN X509 CRL-----")) return pem;
  throw stepCaErrors.error("STEP_CA_ANSWER", `${ca.servername} gave no CRL, but HTTP status ${status}`, {
    path: "crl",
  });
}

function isRevokedAlready({ status, body }: StepCaAnswer): boolean {
  return status === 400 && /is already revoked/.test(parseJson(body, refusal)?.message ?? "");
}

function refused({ status, body }: StepCaAnswer, what: "sign" | "revoke"): TrustKernError {
  const message = parseJson(body, refusal)?.message ?? "";
  return stepCaErrors.error("STEP_CA_REFUSED", `refused to ${what} (HTTP status ${status}): ${message}`, {
    path: reasonOf(status, message),
  });
}

/** The backend's own reason stands at the end, in brackets; without one, what step-ca itself found. */
function reasonOf(status: number, message: string): string {
  const [, reason] = /\(([a-z][a-z-]{2,40})\)\.?$/.exec(message) ?? [];
  if (reason !== undefined) return reason;
  if (status === 401) return "token";
  if (/webhook/i.test(message)) return "webhook";
  return status === 403 ? "policy" : "request";
}

function certifies(chainPem: string, csrPem: string): boolean {
  try {
    const wanted = Buffer.from(new x509.Pkcs10CertificateRequest(csrPem).publicKey.rawData);
    const { publicKey } = new X509Certificate(chainPem);
    return publicKey.equals(createPublicKey({ key: wanted, format: "der", type: "spki" }));
  } catch {
    return false;
  }
}

function parseJson<T>(body: Buffer, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(body.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
