import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, SignJWT } from "jose";
import { x509 } from "../x509.ts";
import { stepCaErrors } from "./errors.ts";

/** Seconds that a token is good for; step-ca takes each one once. */
const TOKEN_SECONDS = 60;

/** What a token asks of an online authority. */
export interface TokenRequest {
  /** One of `PROVISIONERS`. */
  readonly provisioner: string;
  /** PKCS#8 PEM of the P-256 key that vouches. A secret. */
  readonly keyPem: string;
  /** Name of the authority's server. */
  readonly servername: string;
  readonly use: "sign" | "revoke";
  /** The common name of the request, or the decimal serial number of what is revoked. */
  readonly subject: string;
  /** The request that the token is for, and no other. @default not bound to one */
  readonly csrPem?: string | undefined;
  readonly now: Date;
}

/** What a token of a device asks. */
export interface DeviceTokenRequest extends TokenRequest {
  /** The device's certificate, PEM, then its issuers below the maker's authority if there are any. */
  readonly chainPem: string;
}

/** A public P-256 key as step-ca's configuration has it (RFC 7517). */
export interface PublicJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
  /** Its thumbprint (RFC 7638). */
  readonly kid: string;
  readonly alg: "ES256";
  readonly use: "sig";
}

/**
 * A token that a device's certificate vouches with (RFC 7515, section 4.1.6).
 * @throws STEP_CA_ANSWER when key or chain cannot be read
 */
export async function x5cToken(request: DeviceTokenRequest): Promise<string> {
  const chain = x509.PemConverter.decode(request.chainPem).map((der) => Buffer.from(der).toString("base64"));
  const audience = `${audienceOf(request)}#x5c/${request.provisioner}`;
  return signed(request, audience, { x5c: chain });
}

/** A token that a key of the configuration vouches with: the backend's, or the operators'. */
export async function jwkToken(request: TokenRequest): Promise<string> {
  const { kid } = await publicJwk(createPublicKey(readKey(request.keyPem)));
  return signed(request, audienceOf(request), { kid });
}

/** The public half of a P-256 key with its thumbprint, for the authority's configuration. */
export async function publicJwk(key: KeyObject): Promise<PublicJwk> {
  const { kty = "", crv = "", x = "", y = "" } = await exportJWK(key);
  const kid = await calculateJwkThumbprint({ kty, crv, x, y });
  return { kty, crv, x, y, kid, alg: "ES256", use: "sig" };
}

/** A serial number in hex, as our ledger has it, in the decimal that step-ca's tokens have. */
export function decimalSerial(hex: string): string {
  return BigInt(`0x${hex}`).toString(10);
}

function audienceOf({ servername, use }: TokenRequest): string {
  return `https://${servername}/1.0/${use}`;
}

function signed(request: TokenRequest, audience: string, header: { x5c?: string[]; kid?: string }): Promise<string> {
  const issued = Math.floor(request.now.getTime() / 1_000);
  const { csrPem } = request;
  const bound = csrPem === undefined ? {} : { cnf: { "x5rt#S256": fingerprint(csrPem) } };
  return new SignJWT({ ...bound })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", ...header })
    .setIssuer(request.provisioner)
    .setAudience(audience)
    .setSubject(request.subject)
    .setJti(randomUUID())
    .setIssuedAt(issued)
    .setNotBefore(issued)
    .setExpirationTime(issued + TOKEN_SECONDS)
    .sign(readKey(request.keyPem));
}

function fingerprint(csrPem: string): string {
  const [der = new ArrayBuffer(0)] = x509.PemConverter.decode(csrPem);
  return createHash("sha256").update(Buffer.from(der)).digest("base64url");
}

function readKey(keyPem: string): KeyObject {
  try {
    return createPrivateKey(keyPem);
  } catch {
    throw stepCaErrors.error("STEP_CA_ANSWER", "the key that vouches is no private key in PKCS #8 PEM", {
      path: "keyPem",
      fix: "restore the key from a backup, or make it again",
    });
  }
}
