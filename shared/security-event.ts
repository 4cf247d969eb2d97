/** Kinds of security events, by the names that the field uses. */
export const SECURITY_EVENT_KINDS = [
  "AUTH_FAILED",
  "INGEST_REJECTED",
  "RATE_LIMIT_EXCEEDED",
  "TOKEN_AUTH_FAILED",
  "TOKEN_REVOKED",
  "TEDS_INTEGRITY_FAILURE",
  "KEY_USED",
  "CERT_ISSUED",
  "CERT_DENIED",
  "CERT_REVOKED",
  "CERT_RENEWED",
  "CRL_PUBLISHED",
  "CRL_REJECTED",
  "ENROLLED",
  "ENROLMENT_REFUSED",
  "TOKEN_ISSUED",
  "IDENTITY_LOCKED",
  "SESSION_ENDED",
  "ROTATION_STEP",
  "CUSTODY_SEALED",
  "CUSTODY_UNSEALED",
  "CUSTODY_UNSEAL_FAILED",
  "CUSTODY_START_REFUSED",
  "CUSTODY_WRITER_REFUSED",
] as const;

/** One of {@link SECURITY_EVENT_KINDS}. */
export type SecurityEventKind = (typeof SECURITY_EVENT_KINDS)[number];

/** Something that an auditor or an alert rule wants to know. Holds no secret and no plaintext. */
export interface SecurityEvent {
  readonly kind: SecurityEventKind;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly tenant: string;
  /** Who did it: a certificate's common name, a sensor id, or the component itself. */
  readonly actor: string;
  /** Address the actor came from, or null where there is none (a local socket, a message from the broker). */
  readonly sourceAddress: string | null;
  /** What it was done to: a sensor id, a topic, a key id, a certificate serial number. */
  readonly object: string;
  /** The verdict or the typed reason. */
  readonly reason: string;
  /** How many alike this event stands for, at least 1. */
  readonly count: number;
  /** SHA-256 of the envelope in lower-case hex where the event is about one, or null. */
  readonly correlationId: string | null;
}
