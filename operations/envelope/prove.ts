import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Placement } from "../../model/placement.ts";
import { MANAGE_SOCKET } from "../../modules/custody/component.ts";
import { type Allowlist, lookup, verifyAllowlist } from "../../protocol/allowlist.ts";
import { decodeEnvelope, envelopeDigest } from "../../protocol/envelope.ts";
import { bytesOfHex } from "../../protocol/hex.ts";
import { importP256Point, verifyEnvelopeSignature } from "../../protocol/signature.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { openDatabase } from "../../stacks/embedded/database.ts";
import { listGenerations } from "../../stacks/host/custody-management.ts";
import { envelopeErrors } from "./errors.ts";

/** Names one message. */
export interface MessageKey {
  /** 9 bytes, lower-case hex. */
  readonly sensorId: string;
  readonly bootId: number;
  readonly seq: number;
}

/** Provenance of a stored row, for an auditor; every byte string in lower-case hex. */
export interface EnvelopeProof {
  readonly schema: "trustkern.envelope-prove/1";
  readonly sensor_id: string;
  readonly boot_id: number;
  readonly seq: number;
  /** RFC 3339. */
  readonly received_at: string;
  readonly gateway: string;
  /** The envelope as it left the sensor. */
  readonly envelope: string;
  /** SHA-256 of the envelope, as it was indexed when the row was stored. */
  readonly digest: string;
  readonly signature: { readonly value: string; readonly public_key: string | null };
  /** Version of the collector's allowlist when it accepted the message, and of its copy that is used now. */
  readonly allowlist: { readonly accepted_version: number; readonly checked_version: number };
  /** The generation that opened it; `state` is null when custody no longer lists it. */
  readonly key: { readonly key_id: string; readonly state: string | null };
  readonly checks: { readonly digest: boolean; readonly signature: boolean; readonly fields: boolean };
}

interface Stored {
  readonly received_at: Date;
  readonly gateway: string;
  readonly key_id: Buffer;
  readonly digest: Buffer;
  readonly bytes: Buffer;
  readonly allowlist_version: string;
}

/**
 * Shows a stored message's bytes, signature, allowlist version and key generation, and checks them anew.
 * @throws ENVELOPE_NOT_STORED, DEPLOYMENT_AWAY, and ALLOWLIST_… or DSSE_… when the collector's copy does not verify
 */
export async function proveEnvelope(placement: Placement, key: MessageKey): Promise<EnvelopeProof> {
  const stored = await findStored(placement, key);
  const allowlist = readAllowlist(placement);
  const entry = lookup(allowlist, key.sensorId);
  const listed = allowlist.document.sensors.find(({ sensorId }) => sensorId === key.sensorId);
  const decoded = decodeEnvelope(stored.bytes);
  const envelope = decoded.ok ? decoded.envelope : undefined;
  const generations = await listGenerations(placement.socket("custody", MANAGE_SOCKET));
  const keyId = stored.key_id.toString("hex");
  return {
    schema: "trustkern.envelope-prove/1",
    sensor_id: key.sensorId,
    boot_id: key.bootId,
    seq: key.seq,
    received_at: stored.received_at.toISOString(),
    gateway: stored.gateway,
    envelope: stored.bytes.toString("hex"),
    digest: stored.digest.toString("hex"),
    signature: {
      value: envelope === undefined ? "" : Buffer.from(envelope.signature).toString("hex"),
      public_key: listed?.publicKey ?? null,
    },
    allowlist: { accepted_version: Number(stored.allowlist_version), checked_version: allowlist.document.version },
    key: { key_id: keyId, state: generations.find((each) => each.keyId === keyId)?.state ?? null },
    checks: {
      digest: envelopeDigest(stored.bytes).equals(stored.digest),
      signature:
        decoded.ok &&
        entry.kind === "known" &&
        verifyEnvelopeSignature(entry.publicKey, decoded.signedBytes, decoded.envelope.signature),
      fields:
        envelope !== undefined &&
        Buffer.from(envelope.sensorId).toString("hex") === key.sensorId &&
        envelope.bootId === key.bootId &&
        envelope.seq === key.seq &&
        stored.key_id.equals(envelope.keyId),
    },
  };
}

async function findStored(placement: Placement, { sensorId, bootId, seq }: MessageKey): Promise<Stored> {
  const database = openDatabase(placement);
  try {
    const [stored] = await database.query<Stored>(
      `SELECT s.received_at, t.gateway, t.key_id, s.digest, r.bytes, r.allowlist_version
         FROM envelope_seen s JOIN telemetry t USING (received_at, sensor_id, boot_id, seq) JOIN envelope_raw r USING (received_at, sensor_id, boot_id, seq)
        WHERE s.sensor_id = $1 AND s.boot_id = $2 AND s.seq = $3`,
      [bytesOfHex(sensorId), bootId, seq],
    );
    if (stored !== undefined) return stored;
  } catch (cause) {
    if (cause instanceof TrustKernError) throw cause;
    throw envelopeErrors.error("DEPLOYMENT_AWAY", `the database does not answer: ${messageOf(cause)}`, {
      path: "database",
      cause,
    });
  } finally {
    await database.close();
  }
  throw envelopeErrors.error("ENVELOPE_NOT_STORED", `no stored message ${sensorId} ${bootId} ${seq}`, {
    path: sensorId,
  });
}

function readAllowlist(placement: Placement): Allowlist {
  const file = join(placement.volumeDir("collector", "state"), "allowlist.json");
  const backendKey = importP256Point(
    bytesOfHex(readFileSync(placement.secretFile("collector", "backend.pub"), "utf8")),
  );
  return verifyAllowlist({ dsse: readFileSync(file, "utf8"), backendKey, audience: "collector", currentVersion: 0 });
}
