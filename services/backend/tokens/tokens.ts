import { randomBytes } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { assertNotRevokedGateway } from "../fleet/standing.ts";
import { transaction } from "../registry/database.ts";
import { endSession } from "../revocation/sessions.ts";
import { tokenErrors } from "./errors.ts";
import { newTokenSecret, sameDigest, tokenDigest } from "./secret.ts";

/** Valid tokens that a gateway may have at once; two are enough for a rotation without a gap. */
export const MAX_VALID_TOKENS = 8;

/** Milliseconds within which the use of a token is written once. */
const USE_GRAIN_MS = 60_000;

const MS_PER_DAY = 86_400_000;
const MS_PER_HOUR = 3_600_000;

/** A token without its secret. */
export interface TokenRecord {
  readonly id: string;
  readonly gateway: string;
  /** SHA-256 of the one certificate that it works with, lower-case hex. */
  readonly certificateSha256: string;
  /** Milliseconds since the Unix epoch, like the other times. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | null;
  /** Of the first use, then exact to {@link USE_GRAIN_MS}; null for one that was never used. */
  readonly lastUsedAtMs: number | null;
}

/** A token that was made just now. `token` is a secret. */
export interface IssuedToken extends TokenRecord {
  readonly token: string;
}

/** What a token is made from. */
export interface TokenRequest {
  readonly gateway: string;
  readonly certificateSha256: string;
  /** Days, 1 to 365. */
  readonly lifetimeDays: number;
}

/** Who shows which token. */
export interface TokenCheck {
  readonly gateway: string;
  readonly certificateSha256: string;
  readonly token: string;
}

/** The gateways' bearer tokens. */
export interface Tokens {
  /** @throws TOKEN_LIMIT, TOKEN_NO_CERTIFICATE and GATEWAY_REVOKED also for what was revoked a moment ago */
  readonly issue: (request: TokenRequest) => IssuedToken;
  /**
   * Makes the one that comes with a gateway's new certificate. At the limit the oldest that nobody ever used gives way, or else
   * the one that was used longest ago, so that neither answers which got lost nor many renewals keep a gateway from the next.
   * @throws TOKEN_NO_CERTIFICATE, GATEWAY_REVOKED
   */
  readonly renew: (request: TokenRequest) => IssuedToken;
  readonly list: (gateway: string) => readonly TokenRecord[];
  /** Those that are neither revoked nor expired. */
  readonly valid: (gateway: string) => readonly TokenRecord[];
  /** Makes a new one, and lets those that are valid end `overlapHours` from now at the latest. @throws as {@link Tokens.issue} */
  readonly rotate: (request: TokenRequest & { readonly overlapHours: number }) => IssuedToken;
  /** Ends a token and the gateway's session at the broker; a second time changes nothing. @throws TOKEN_UNKNOWN */
  readonly revoke: (gateway: string, id: string) => TokenRecord;
  /** @throws TOKEN_INVALID, TOKEN_REVOKED, TOKEN_EXPIRED, TOKEN_OTHER_CERTIFICATE */
  readonly verify: (check: TokenCheck) => TokenRecord;
}

/** Tokens on the registry's database. */
export function createTokens(db: DatabaseSync, now: () => number): Tokens {
  const list = (gateway: string): readonly TokenRecord[] => rowsOf(db, gateway).map(recordOf);
  return {
    list,
    valid: (gateway) => validTokens(db, gateway, now()),
    issue: (request) => transaction(db, () => insertToken(db, request, now())),
    renew: (request) =>
      transaction(db, () => {
        const valid = validTokens(db, request.gateway, now());
        const [least] = valid.toSorted((one, other) => (one.lastUsedAtMs ?? 0) - (other.lastUsedAtMs ?? 0));
        if (valid.length >= MAX_VALID_TOKENS && least)
          db.prepare("UPDATE gateway_token SET expires_at = ? WHERE id = ?").run(now(), least.id);
        return insertToken(db, request, now());
      }),
    rotate: ({ overlapHours, ...request }) =>
      transaction(db, () => {
        const endsAt = now() + overlapHours * MS_PER_HOUR;
        db.prepare("UPDATE gateway_token SET expires_at = min(expires_at, ?) WHERE gateway = ? AND expires_at > ?").run(
          endsAt,
          request.gateway,
          now(),
        );
        return insertToken(db, request, now());
      }),
    revoke: (gateway, id) =>
      transaction(db, () => {
        const found = list(gateway).find((token) => token.id === id);
        if (!found) throw tokenErrors.error("TOKEN_UNKNOWN", `gateway ${gateway} has no token "${id}"`, { path: "id" });
        if (found.revokedAtMs !== null) return found;
        db.prepare("UPDATE gateway_token SET revoked_at = ? WHERE id = ?").run(now(), id);
        endSession(db, { name: gateway, reason: "token-revoked", atMs: now() });
        return { ...found, revokedAtMs: now() };
      }),
    verify: (check) => {
      const record = verifyToken(rowsOf(db, check.gateway), check, now());
      const { id, lastUsedAtMs } = record;
      if (lastUsedAtMs !== null && now() - lastUsedAtMs < USE_GRAIN_MS) return record;
      transaction(db, () => db.prepare("UPDATE gateway_token SET last_used_at = ? WHERE id = ?").run(now(), id));
      return { ...record, lastUsedAtMs: now() };
    },
  };
}

/** Revokes every token of a gateway; part of the transaction that revokes the gateway. */
export function revokeTokensOf(db: DatabaseSync, gateway: string, nowMs: number): void {
  db.prepare("UPDATE gateway_token SET revoked_at = ? WHERE gateway = ? AND revoked_at IS NULL").run(nowMs, gateway);
}

function verifyToken(rows: readonly Row[], { gateway, certificateSha256, token }: TokenCheck, nowMs: number) {
  const digest = tokenDigest(token);
  // All of them are compared, whichever it is.
  const [row] = rows.filter(({ sha256 }) => sameDigest(String(sha256), digest));
  if (!row) throw tokenErrors.error("TOKEN_INVALID", `the token is none of gateway ${gateway}`);
  const record = recordOf(row);
  const about = `token ${record.id} of gateway ${gateway}`;
  if (record.revokedAtMs !== null) throw tokenErrors.error("TOKEN_REVOKED", `${about} is revoked`);
  if (record.expiresAtMs <= nowMs)
    throw tokenErrors.error("TOKEN_EXPIRED", `${about} expired at ${new Date(record.expiresAtMs).toISOString()}`);
  if (!sameDigest(record.certificateSha256, certificateSha256))
    throw tokenErrors.error("TOKEN_OTHER_CERTIFICATE", `${about} is bound to another certificate`);
  return record;
}

function insertToken(db: DatabaseSync, request: TokenRequest, nowMs: number): IssuedToken {
  const { gateway, certificateSha256, lifetimeDays } = request;
  assertNotRevokedGateway(db, gateway);
  assertNotRevokedCertificate(db, gateway, certificateSha256);
  const valid = validTokens(db, gateway, nowMs);
  if (valid.length >= MAX_VALID_TOKENS)
    throw tokenErrors.error(
      "TOKEN_LIMIT",
      `gateway ${gateway} has ${valid.length} valid tokens, accepted: up to ${MAX_VALID_TOKENS}`,
    );
  const token = newTokenSecret();
  const id = randomBytes(8).toString("hex");
  const expiresAtMs = nowMs + lifetimeDays * MS_PER_DAY;
  db.prepare(
    "INSERT INTO gateway_token (id, gateway, sha256, certificate_sha256, issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
  ).run(id, gateway, tokenDigest(token), certificateSha256, nowMs, expiresAtMs);
  return {
    id,
    gateway,
    certificateSha256,
    issuedAtMs: nowMs,
    expiresAtMs,
    revokedAtMs: null,
    lastUsedAtMs: null,
    token,
  };
}

function assertNotRevokedCertificate(db: DatabaseSync, gateway: string, sha256: string): void {
  if (db.prepare("SELECT state FROM certificate WHERE sha256 = ?").get(sha256)?.state === "revoked")
    throw tokenErrors.error("TOKEN_NO_CERTIFICATE", `the certificate of gateway ${gateway} is revoked`);
}

function validTokens(db: DatabaseSync, gateway: string, nowMs: number): readonly TokenRecord[] {
  const all = rowsOf(db, gateway).map(recordOf);
  return all.filter(({ expiresAtMs, revokedAtMs }) => revokedAtMs === null && expiresAtMs > nowMs);
}

type Row = Readonly<Record<string, SQLOutputValue>>;

function rowsOf(db: DatabaseSync, gateway: string): readonly Row[] {
  return db.prepare("SELECT * FROM gateway_token WHERE gateway = ? ORDER BY issued_at, id").all(gateway);
}

function recordOf(row: Row): TokenRecord {
  return {
    id: String(row.id),
    gateway: String(row.gateway),
    certificateSha256: String(row.certificate_sha256),
    issuedAtMs: Number(row.issued_at),
    expiresAtMs: Number(row.expires_at),
    revokedAtMs: row.revoked_at === null ? null : Number(row.revoked_at),
    lastUsedAtMs: row.last_used_at === null ? null : Number(row.last_used_at),
  };
}
