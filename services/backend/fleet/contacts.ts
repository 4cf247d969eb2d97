import type { IncomingMessage } from "node:http";
import type { DatabaseSync } from "node:sqlite";
import type { TLSSocket } from "node:tls";
import { z } from "zod";
import { transaction } from "../registry/database.ts";

/** What a gateway showed the backend. */
export interface Shown {
  readonly gateway: string;
  /** Of its leaf, lower-case hex. */
  readonly certificateSha256: string;
  /** Of the authority that it sent with its leaf, lower-case hex; null where it sent none. */
  readonly authoritySha256: string | null;
}

/** What a gateway accepts of others, by its own word. */
export interface TrustInForce {
  /** SHA-256 of each trust anchor's DER, lower-case hex. */
  readonly anchors: readonly string[];
  /** Pins of the broker, lower-case hex; none where it looks at the name alone. */
  readonly pins: readonly string[];
}

/** What is known of a gateway's use of its certificates, and of its trust. */
export interface Contact {
  /** When the last of its certificates ends that are neither revoked nor expired, in milliseconds since the Unix epoch; null for none. */
  readonly validUntilMs: number | null;
  /** What it showed last with a token that holds, and when, exact to {@link GRAIN_MS}; null for one that never came. */
  readonly shown: (Omit<Shown, "gateway"> & { readonly atMs: number }) | null;
  /** What it said last that it has in force; null while it has not said. */
  readonly trust: (TrustInForce & { readonly atMs: number }) | null;
}

/** Records of what gateways showed and said last. */
export interface Contacts {
  readonly shown: (shown: Shown) => void;
  /** Records what a gateway says it has in force. */
  readonly trusts: (gateway: string, trust: TrustInForce) => void;
  readonly of: (gateway: string) => Contact;
}

/** Milliseconds within which the same is written once. */
const GRAIN_MS = 60_000;
const MAX_DIGESTS = 16;

const digests = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(MAX_DIGESTS);
const trustSchema = z.object({ anchors: digests.min(1), pins: digests });

/** Contacts on the registry's database. */
export function createContacts(db: DatabaseSync, now: () => number): Contacts {
  const rowOf = (gateway: string) => db.prepare("SELECT * FROM gateway_contact WHERE gateway = ?").get(gateway);
  return {
    shown: ({ gateway, certificateSha256, authoritySha256 }) => {
      const row = rowOf(gateway);
      const same = row?.certificate_sha256 === certificateSha256 && row.authority_sha256 === authoritySha256;
      if (same && now() - Number(row.seen_at) < GRAIN_MS) return;
      transaction(db, () =>
        db
          .prepare(
            `INSERT INTO gateway_contact (gateway, certificate_sha256, authority_sha256, seen_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (gateway) DO UPDATE SET certificate_sha256 = excluded.certificate_sha256,
             authority_sha256 = excluded.authority_sha256, seen_at = excluded.seen_at`,
          )
          .run(gateway, certificateSha256, authoritySha256, now()),
      );
    },
    trusts: (gateway, { anchors, pins }) => {
      const held = JSON.stringify({ anchors, pins });
      const row = rowOf(gateway);
      if (row?.trust === held && now() - Number(row.trust_at) < GRAIN_MS) return;
      transaction(db, () =>
        db.prepare("UPDATE gateway_contact SET trust = ?, trust_at = ? WHERE gateway = ?").run(held, now(), gateway),
      );
    },
    of: (gateway) => {
      const row = rowOf(gateway);
      const until = db
        .prepare(
          "SELECT max(not_after) AS until FROM certificate WHERE class = 'gateways' AND name = ? AND state <> 'revoked' AND not_after > ?",
        )
        .get(gateway, now())?.until;
      return {
        validUntilMs: typeof until === "number" ? until : null,
        shown: row
          ? {
              certificateSha256: String(row.certificate_sha256),
              authoritySha256: row.authority_sha256 === null ? null : String(row.authority_sha256),
              atMs: Number(row.seen_at),
            }
          : null,
        trust:
          typeof row?.trust === "string"
            ? { ...trustSchema.parse(JSON.parse(row.trust)), atMs: Number(row.trust_at) }
            : null,
      };
    },
  };
}

/** What a gateway says with its request for its configuration: digests with commas between them; null where it says nothing of use. */
export function trustIn(query: URLSearchParams): TrustInForce | null {
  const list = (name: string): readonly string[] | undefined =>
    query
      .get(name)
      ?.split(",")
      .filter((each) => each !== "");
  return trustSchema.safeParse({ anchors: list("anchors"), pins: list("pins") }).data ?? null;
}

/** SHA-256 of the authority that a client sent with its leaf, lower-case hex; null where it sent none. */
export function authorityOf({ socket }: IncomingMessage): string | null {
  const leaf = (socket as TLSSocket).getPeerCertificate(true);
  const authority = leaf.issuerCertificate;
  if (!authority?.fingerprint256 || authority.fingerprint256 === leaf.fingerprint256) return null;
  return authority.fingerprint256.replaceAll(":", "").toLowerCase();
}
