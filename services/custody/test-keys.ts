import { generateKeyPairSync } from "node:crypto";
import type { AuditEntry } from "../../custody/audit/record.ts";
import type { Generation } from "../../custody/generation.ts";
import type { Keyring } from "../../custody/keyring/keyring.ts";
import { keyIdOf } from "../../protocol/hpke.ts";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
import type { SecurityEventInput } from "../runtime/security-events.ts";
import { type Custodian, createCustodian } from "./custodian.ts";

/** An error of ours that no catalogue has. */
export function storeAway(message: string): TrustKernError {
  return new TrustKernError("TEST_STORE_AWAY", { exit: EXIT.resource, summary: "away", fix: "bring it back" }, message);
}

/** A custodian over keys that are played, and what happened to them. */
export interface TestKeys {
  readonly custodian: Custodian;
  readonly events: SecurityEventInput[];
  readonly recorded: AuditEntry[];
  /** What the keyring was asked for, one line each. */
  readonly asked: string[];
  /** What each opening was given. */
  readonly passphrases: string[];
  readonly generation: Generation;
  closed: number;
  /** Thrown by the next opening, by the log, or by the keyring, while it is set. */
  openFails?: Error;
  appendFails?: Error;
  keyringFails?: Error;
  /** Runs inside of a decapsulation. */
  meanwhile?: () => Promise<void>;
}

/** A generation with a public key of its own. */
export function testGeneration(): Generation {
  const raw = generateKeyPairSync("x25519").publicKey.export({ format: "raw-public" });
  return {
    keyId: keyIdOf(raw).toString("hex"),
    publicKey: raw.toString("hex"),
    suite: "X25519-HKDF-SHA256/AES-128-GCM",
    origin: "generated",
    state: "active",
    createdAt: "2026-01-01T00:00:00.000Z",
    notBefore: "2026-01-01T00:00:00.000Z",
  };
}

/** Sealed at first. */
export function testKeys(): TestKeys {
  const generation = testGeneration();
  const [events, recorded, asked]: [SecurityEventInput[], AuditEntry[], string[]] = [[], [], []];
  const done = async (what: string): Promise<Generation> => {
    if (keys.keyringFails) throw keys.keyringFails;
    asked.push(what);
    return generation;
  };
  const keyring: Keyring = {
    facts: { kind: "file", custodyClass: "software", keysInUse: "in-memory", where: "file:folder=/keys" },
    packageKey: { keyId: "00".repeat(8), publicKey: "11".repeat(32) },
    list: () => [generation],
    decapsulate: async ({ client, use, items }) => {
      await done(`decapsulate ${items.length} ${use} for ${client}`);
      await keys.meanwhile?.();
      if (keys.keyringFails) throw keys.keyringFails;
      return items.map(() => new Uint8Array(32).fill(7));
    },
    generate: (actor, { state, notBefore }) => done(`generate ${state} ${notBefore ?? "now"} by ${actor}`),
    importPackage: (actor, bytes) => done(`import ${bytes.length} by ${actor}`),
    importKey: () => done("import a fixture"),
    activate: (actor, keyId) => done(`activate ${keyId} by ${actor}`),
    destroy: (actor, keyId) => done(`destroy ${keyId} by ${actor}`),
    compromise: (actor, keyId, { stored, reason }) => done(`compromise ${keyId} ${stored} ${reason} by ${actor}`),
    stated: () => null,
    close: async () => undefined,
  };
  const open = async (passphrase: Uint8Array) => {
    keys.passphrases.push(Buffer.from(passphrase).toString());
    if (keys.openFails) throw keys.openFails;
    const append = async (entry: AuditEntry) => {
      if (keys.appendFails) throw keys.appendFails;
      recorded.push(entry);
      return entry as never;
    };
    const audit = { append, head: () => "head", lastGenerations: () => [], close: async () => undefined };
    const close = async (): Promise<void> => {
      keys.closed += 1;
    };
    const attest = async (keyId: string, actor: string) => `${keyId} for ${actor}`;
    return { keyring, audit, signerSpki: Uint8Array.of(1), attest, close };
  };
  const custodian = createCustodian({ open, events: { emit: (event) => events.push(event) } });
  const keys: TestKeys = { custodian, events, recorded, asked, passphrases: [], generation, closed: 0 };
  return keys;
}
