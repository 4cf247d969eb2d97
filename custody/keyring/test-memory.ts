import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { createPem, loadPemSigner } from "../../certs/signers/software.ts";
import { hpkeDecapsulate, importX25519Private, keyIdOf } from "../../protocol/hpke.ts";
import type { AuditLog } from "../audit/log.ts";
import { type AuditEntry, type AuditRecord, parseRecord, placeEntry, renderRecord } from "../audit/record.ts";
import { custodyStoreErrors } from "../backends/errors.ts";
import type { KeyStore } from "../backends/key-store.ts";
import { publicKeyOf } from "../package.ts";

/** A store in memory, whose keys a test may look at. */
export interface MemoryStore extends KeyStore {
  readonly keys: Map<string, KeyObject>;
}

const SIGNER = createPem("P-256").then((pem) => loadPemSigner(pem, "memory"));

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
    signer: await SIGNER,
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

/** What a keyring needs of a log. */
export type KeyringLog = Pick<AuditLog, "append" | "lastGenerations">;

/** A log in memory, with its records for a test to look at and take away. */
export interface MemoryLog extends KeyringLog {
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

/** Store and log of a process that dies at a step. */
export interface Mortal {
  readonly store: KeyStore;
  readonly audit: KeyringLog;
  /** Whether the step was reached. */
  readonly died: () => boolean;
}

/**
 * Store and log that die at the n-th call that changes something, before it or right after it: `kill` is called, and when that
 * returns, nothing works any more.
 */
export function mortal(
  { store, audit }: { readonly store: KeyStore; readonly audit: KeyringLog },
  { step, when, kill = () => undefined }: { step: number; when: "before" | "after"; kill?: () => void },
): Mortal {
  let [steps, dead] = [0, false];
  const die = (): never => {
    dead = true;
    kill();
    throw new Error("dead");
  };
  const alive = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
    return async (...args: A): Promise<T> => (dead ? die() : call(...args));
  };
  const counted = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
    return alive(async (...args: A): Promise<T> => {
      steps += 1;
      if (steps === step && when === "before") die();
      const result = await call(...args);
      return steps === step ? die() : result;
    });
  };
  const { generate, importKey, destroy, list, decapsulate } = store;
  return {
    died: () => dead,
    audit: { append: counted(audit.append), lastGenerations: audit.lastGenerations },
    store: {
      ...store,
      list: alive(list),
      decapsulate: alive(decapsulate),
      generate: counted(generate),
      importKey: counted(importKey),
      destroy: counted(destroy),
    },
  };
}
