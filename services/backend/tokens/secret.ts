import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 40;

const FORM = { gateway: /^gw_[A-Za-z0-9_-]{54}$/, enrolment: /^ge_[A-Za-z0-9_-]{54}$/ } as const;

/** Makes a token: `gw_` and 40 random bytes in base64url, 54 characters. It is a secret, and shown once. */
export function newTokenSecret(): string {
  return `gw_${randomBytes(SECRET_BYTES).toString("base64url")}`;
}

/** Makes a gateway's one-time token: `ge_` and 40 random bytes in base64url. It is a secret, and shown once. */
export function newEnrolmentSecret(): string {
  return `ge_${randomBytes(SECRET_BYTES).toString("base64url")}`;
}

/** SHA-256 of a token in lower-case hex, the only thing of it that is kept. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Compares two digests in constant time. */
export function sameDigest(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, "hex"), Buffer.from(other, "hex")];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The token of an `Authorization` header (RFC 6750, section 2.1): null without one, `malformed` for another form. */
export function bearerToken(
  header: string | undefined,
  kind: keyof typeof FORM = "gateway",
): string | null | "malformed" {
  if (header === undefined) return null;
  const [, token = ""] = /^Bearer ([^ ]+)$/i.exec(header) ?? [];
  return FORM[kind].test(token) ? token : "malformed";
}
