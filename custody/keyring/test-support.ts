import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPem, loadPemSigner } from "../../certs/signers/software.ts";
import {
  hpkeDecapsulate,
  hpkeSeal,
  importX25519Private,
  keyIdOf,
  openWithSharedSecret,
  TELEMETRY_INFO,
} from "../../protocol/hpke.ts";
import type { AuditLog } from "../audit/log.ts";
import { type AuditEntry, type AuditRecord, parseRecord, placeEntry, renderRecord } from "../audit/record.ts";
import { custodyStoreErrors } from "../backends/errors.ts";
import type { KeyStore } from "../backends/key-store.ts";
import type { Generation } from "../generation.ts";
import type { KemItem, KemResult } from "../kem.ts";
import { publicKeyOf } from "../package.ts";
import { type Keyring, openKeyring } from "./keyring.ts";

/** A store in memory, whose keys a test may look at. */
export interface MemoryStore extends KeyStore {
  readonly keys: Map<string, KeyObject>;
}

/** A store in memory. */
export async function memoryStore(): Promise<MemoryStore> {
  const keys = new Map<string, KeyObject>();
  const hold = (privateKey: KeyObject) => {
    const publicKey = publicKeyOf(privateKey.export({ format: "raw-private" }));
    const keyId = keyIdOf(publicKey).toString("hex");
    keys.set(keyId, privateKey);
    return { keyId, publicKey: publicKey.toString("hex") };
  };
  return {
    keys,
    facts: { kind: "file", custodyClass: "software", keysInUse: "in-memory", where: "memory" },
    signer: await loadPemSigner(await createPem("P-256"), "memory"),
    list: async () => [...keys.values()].map(hold).sort((a, b) => (a.keyId < b.keyId ? -1 : 1)),
    generate: async () => hold(generateKeyPairSync("x25519").privateKey),
    importKey: async (privateKey) => hold(importX25519Private(privateKey)),
    destroy: async (keyId) => {
      keys.delete(keyId);
    },
    decapsulate: async (keyId, encapsulated) => {
      const privateKey = keys.get(keyId);
      if (!privateKey) throw custodyStoreErrors.error("CUSTODY_KEY_MISSING", `there is no key "${keyId}"`);
      return encapsulated.map((enc) => openOrNull(privateKey, enc));
    },
    close: async () => keys.clear(),
  };
}

function openOrNull(privateKey: KeyObject, enc: Uint8Array): Uint8Array | null {
  try {
    return hpkeDecapsulate(privateKey, enc);
  } catch {
    return null;
  }
}

/** What a keyring needs of a log, kept in memory, with its records for a test to look at and take away. */
export interface MemoryLog extends Pick<AuditLog, "append" | "lastGenerations"> {
  readonly records: AuditRecord[];
}

/** A log in memory, as strict about entries as the one on the disk. */
export function memoryLog(): MemoryLog {
  const records: AuditRecord[] = [];
  return {
    records,
    append: async (entry: AuditEntry) => {
      const where = { seq: records.length + 1, prev: "0".repeat(64), at: new Date().toISOString() };
      const record = parseRecord(renderRecord(placeEntry(entry, where)));
      records.push(record);
      return record;
    },
    lastGenerations: () => records.filter(({ kind }) => kind === "generation").slice(-2),
  };
}

/** Everything that a keyring stands on; `open` opens it, again and again. */
export interface KeyringGround {
  readonly store: MemoryStore;
  readonly audit: MemoryLog;
  readonly folder: string;
  readonly file: string;
  /** @param instead other parts than those in memory */
  readonly open: (instead?: { store?: KeyStore; audit?: KeyringGround["audit"]; tenant?: string }) => Promise<Keyring>;
}

/** New ground, in a folder that the test removes. */
export async function newGround(): Promise<KeyringGround> {
  const store = await memoryStore();
  const audit = memoryLog();
  const folder = mkdtempSync(join(tmpdir(), "keyring-"));
  const clock = () => new Date();
  const open: KeyringGround["open"] = (instead) =>
    openKeyring({ tenant: "acme", store, audit, folder, clock, ...instead });
  return { store, audit, folder, file: join(folder, "generations.json"), open };
}

const AAD = Buffer.from("header");
const PLAINTEXT = Buffer.from("what the sensor measured");

/** A message to a generation, as the item to open and the rest of it. */
export function sealTo({ publicKey }: Pick<Generation, "publicKey">): { item: KemItem; ciphertext: Uint8Array } {
  const raw = Buffer.from(publicKey, "hex");
  const { enc, ciphertext } = hpkeSeal(raw, TELEMETRY_INFO, AAD, PLAINTEXT);
  return { item: { keyId: keyIdOf(raw), encapsulatedKey: enc }, ciphertext };
}

/** Whether a result opens the message that {@link sealTo} made. */
export function isOpened(result: KemResult | undefined, ciphertext: Uint8Array): boolean {
  if (!(result instanceof Uint8Array)) return false;
  const plaintext = openWithSharedSecret(result, TELEMETRY_INFO, AAD, ciphertext);
  return plaintext !== null && PLAINTEXT.equals(plaintext);
}

/** Whether a keyring opens what is sealed to a generation now. */
export async function opens(
  keyring: Keyring,
  generation: Generation,
  use: "live" | "stored" = "live",
): Promise<boolean> {
  const { item, ciphertext } = sealTo(generation);
  const [result] = await keyring.decapsulate({ client: "svc-collector", use, items: [item] });
  return isOpened(result, ciphertext);
}

/** The active generations, of which there must be one. */
export function activeOf(keyring: Keyring): Generation {
  const active = keyring.list().filter(({ state }) => state === "active");
  if (active.length !== 1 || active[0] === undefined) throw new Error(`${active.length} generations are active`);
  return active[0];
}
