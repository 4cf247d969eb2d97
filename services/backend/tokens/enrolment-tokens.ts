import { randomBytes } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { fleetErrors } from "../fleet/errors.ts";
import { transaction } from "../registry/database.ts";
import { tokenErrors } from "./errors.ts";
import { newEnrolmentSecret, sameDigest, tokenDigest } from "./secret.ts";

const MS_PER_HOUR = 3_600_000;

/** How an enrolment token ended before its time. */
type End = "used" | "replaced" | "revoked";

/** An enrolment token without its secret. */
export interface EnrolmentToken {
  readonly id: string;
  readonly gateway: string;
  /** The made device that it is for, and no other. */
  readonly hardwareId: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
  readonly ended: End | null;
}

/** What an enrolment token is made from. */
export interface EnrolmentTokenRequest {
  readonly gateway: {
    readonly name: string;
    readonly hardwareId: string | null;
    /** Milliseconds since the Unix epoch of its enrolment, or null while it may enrol. */
    readonly enrolledAtMs: number | null;
  };
  /** Hours, 1 to 168. */
  readonly lifetimeHours: number;
}

/** Who shows which token. */
export interface EnrolmentTokenCheck {
  readonly gateway: string;
  readonly hardwareId: string;
  readonly token: string;
}

/** The tokens that gateways elsewhere enrol with: each works once, for one name and one device. */
export interface EnrolmentTokens {
  /**
   * Makes the one token of a gateway that is open; one from before ends.
   * @returns with its secret, which is kept nowhere
   * @throws GATEWAY_NO_DEVICE, GATEWAY_ENROLLED
   */
  readonly issue: (request: EnrolmentTokenRequest) => EnrolmentToken & { readonly token: string };
  /** Takes nothing. @throws ENROLMENT_TOKEN_INVALID, ENROLMENT_TOKEN_USED, ENROLMENT_TOKEN_REVOKED, ENROLMENT_TOKEN_EXPIRED */
  readonly verify: (check: EnrolmentTokenCheck) => EnrolmentToken;
  /** Whether it still opens anything. @throws as {@link EnrolmentTokens.verify} */
  readonly assertOpen: (id: string) => void;
  /** Uses it up; part of the transaction that records what it was used for. @throws as {@link EnrolmentTokens.verify} */
  readonly consume: (id: string) => void;
}

/** Enrolment tokens on the registry's database. */
export function createEnrolmentTokens(db: DatabaseSync, now: () => number): EnrolmentTokens {
  const assertOpen = (id: string): void => {
    const row = db.prepare("SELECT * FROM enrolment_token WHERE id = ?").get(id);
    if (!row) throw tokenErrors.error("ENROLMENT_TOKEN_INVALID", `there is no enrolment token ${id}`);
    assertUsable(recordOf(row), now());
  };
  return {
    assertOpen,
    issue: (request) => transaction(db, () => insertToken(db, request, now())),
    verify: ({ gateway, hardwareId, token }) => {
      const digest = tokenDigest(token);
      const rows = db.prepare("SELECT * FROM enrolment_token WHERE gateway = ?").all(gateway);
      // All of them are compared, whichever it is.
      const [row] = rows.filter(({ sha256 }) => sameDigest(String(sha256), digest));
      const record = row && recordOf(row);
      if (record?.hardwareId !== hardwareId)
        throw tokenErrors.error("ENROLMENT_TOKEN_INVALID", `the token is none of gateway ${gateway}`);
      assertUsable(record, now());
      return record;
    },
    consume: (id) =>
      transaction(db, () => {
        assertOpen(id);
        db.prepare("UPDATE enrolment_token SET ended = 'used', ended_at = ? WHERE id = ?").run(now(), id);
      }),
  };
}

/** Ends what is open of a gateway; part of a transaction. */
export function endEnrolmentTokens(db: DatabaseSync, gateway: string, end: End, nowMs: number): void {
  db.prepare("UPDATE enrolment_token SET ended = ?, ended_at = ? WHERE gateway = ? AND ended IS NULL").run(
    end,
    nowMs,
    gateway,
  );
}

function insertToken(db: DatabaseSync, { gateway, lifetimeHours }: EnrolmentTokenRequest, nowMs: number) {
  const { name, hardwareId, enrolledAtMs } = gateway;
  if (hardwareId === null)
    throw fleetErrors.error("GATEWAY_NO_DEVICE", `gateway ${name} is no made device yet`, { path: "name" });
  if (enrolledAtMs !== null)
    throw fleetErrors.error("GATEWAY_ENROLLED", `gateway ${name} is enrolled already`, { path: "name" });
  endEnrolmentTokens(db, name, "replaced", nowMs);
  const token = newEnrolmentSecret();
  const id = randomBytes(8).toString("hex");
  const expiresAtMs = nowMs + lifetimeHours * MS_PER_HOUR;
  db.prepare(
    "INSERT INTO enrolment_token (id, gateway, hardware_id, sha256, issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
  ).run(id, name, hardwareId, tokenDigest(token), nowMs, expiresAtMs);
  return { id, gateway: name, hardwareId, expiresAtMs, ended: null, token };
}

function assertUsable({ id, gateway, ended, expiresAtMs }: EnrolmentToken, nowMs: number): void {
  const about = `enrolment token ${id} of gateway ${gateway}`;
  if (ended === "used") throw tokenErrors.error("ENROLMENT_TOKEN_USED", `${about} has been used`);
  if (ended !== null) throw tokenErrors.error("ENROLMENT_TOKEN_REVOKED", `${about} is ${ended}`);
  if (expiresAtMs <= nowMs)
    throw tokenErrors.error("ENROLMENT_TOKEN_EXPIRED", `${about} expired at ${new Date(expiresAtMs).toISOString()}`);
}

function recordOf(row: Readonly<Record<string, SQLOutputValue>>): EnrolmentToken {
  return {
    id: String(row.id),
    gateway: String(row.gateway),
    hardwareId: String(row.hardware_id),
    expiresAtMs: Number(row.expires_at),
    ended: row.ended as End | null,
  };
}
