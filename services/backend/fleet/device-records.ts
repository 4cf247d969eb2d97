import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { compactVerify } from "jose";
import { z } from "zod";
import { bytesOfHex } from "../../../protocol/hex.ts";
import { importP256Point } from "../../../protocol/signature.ts";
import { messageOf } from "../../../shared/errors.ts";
import { mistakesOf } from "../../runtime/config.ts";
import { transaction } from "../registry/database.ts";
import { hardwareId, label, makerName, point } from "../request-parts.ts";
import { fleetErrors } from "./errors.ts";
import { insertMadeDevice } from "./made-devices.ts";
import { assertMakerTrusted, type Maker, requireMaker } from "./makers.ts";

const MAX_DEVICES = 10_000;

const recordSchema = z.strictObject({
  schema: z.literal("trustkern.made-devices/1"),
  maker: makerName,
  issued_at: z.iso.datetime(),
  devices: z
    .array(
      z.strictObject({ hardware_id: hardwareId, kind: z.enum(["gateway", "sensor"]), public_key: point, model: label }),
    )
    .min(1)
    .max(MAX_DEVICES),
});

/** What an import came to. */
export interface ImportedRecord {
  readonly maker: string;
  /** SHA-256 of the record file in lower-case hex. */
  readonly digest: string;
  /** How many devices the record names. */
  readonly devices: number;
}

/**
 * Takes a maker's signed record (JWS, compact, ES256) of made devices: all of them or, when one is wrong, none. The same
 * record again changes nothing. Nothing but the maker's name is read before the signature was verified.
 * @throws MAKER_UNKNOWN, MAKER_REVOKED, DEVICE_RECORD_INVALID, DEVICE_RECORD_SIGNATURE, DEVICE_RECORD_CONFLICT
 */
export async function importDeviceRecord(db: DatabaseSync, record: string, nowMs: number): Promise<ImportedRecord> {
  const maker = trustedMaker(db, unverifiedMaker(record));
  const { maker: signedBy, issued_at, devices } = parseRecord(await verifiedPayload(record, maker));
  if (signedBy !== maker.name) throw invalid(`"maker" is "${signedBy}" and not "${maker.name}"`, "maker");
  const digest = createHash("sha256").update(record).digest("hex");
  transaction(db, () => {
    assertMakerTrusted(db, maker.name);
    for (const { hardware_id, public_key, kind, model } of devices) {
      importP256Point(bytesOfHex(public_key));
      const device = { hardwareId: hardware_id, publicKey: public_key, kind, model, maker: maker.name };
      insertMadeDevice(db, device, "record", nowMs);
    }
    db.prepare("INSERT OR IGNORE INTO device_record VALUES (?, ?, ?, ?, ?)").run(
      digest,
      maker.name,
      Date.parse(issued_at),
      record,
      nowMs,
    );
  });
  return { maker: maker.name, digest, devices: devices.length };
}

function trustedMaker(db: DatabaseSync, name: string): Maker & { readonly publicKey: string } {
  assertMakerTrusted(db, name);
  const maker = requireMaker(db, name);
  if (maker.publicKey === null)
    throw fleetErrors.error("MAKER_UNKNOWN", `maker "${name}" has no key`, { path: "maker" });
  return { ...maker, publicKey: maker.publicKey };
}

function unverifiedMaker(record: string): string {
  const [, payload = ""] = record.split(".");
  const claimed = z.looseObject({ maker: makerName }).safeParse(jsonOf(Buffer.from(payload, "base64url")));
  if (claimed.success) return claimed.data.maker;
  throw invalid(`no signed record: ${mistakesOf(claimed.error)}`, "record");
}

async function verifiedPayload(
  record: string,
  { name, publicKey }: { readonly name: string; readonly publicKey: string },
) {
  try {
    const { payload } = await compactVerify(record, importP256Point(bytesOfHex(publicKey)), { algorithms: ["ES256"] });
    return payload;
  } catch (cause) {
    throw fleetErrors.error("DEVICE_RECORD_SIGNATURE", `not signed by maker "${name}": ${messageOf(cause)}`, { cause });
  }
}

function parseRecord(payload: Uint8Array): z.infer<typeof recordSchema> {
  const parsed = recordSchema.safeParse(jsonOf(payload));
  if (parsed.success) return parsed.data;
  throw invalid(mistakesOf(parsed.error), "record");
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function invalid(message: string, path: string): Error {
  return fleetErrors.error("DEVICE_RECORD_INVALID", message, { path });
}
