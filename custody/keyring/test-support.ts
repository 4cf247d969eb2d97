import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hpkeSeal, keyIdOf, openWithSharedSecret, TELEMETRY_INFO } from "../../protocol/hpke.ts";
import type { KeyStore } from "../backends/key-store.ts";
import type { Generation } from "../generation.ts";
import type { KemItem, KemResult } from "../kem.ts";
import { type Keyring, openKeyring } from "./keyring.ts";
import { type KeyringLog, type MemoryLog, type MemoryStore, memoryLog, memoryStore } from "./test-memory.ts";

/** Everything that a keyring stands on; `open` opens it, again and again. */
export interface KeyringGround {
  readonly store: MemoryStore;
  readonly audit: MemoryLog;
  readonly folder: string;
  readonly file: string;
  /** @param instead other parts than those in memory */
  readonly open: (instead?: { store?: KeyStore; audit?: KeyringLog; tenant?: string }) => Promise<Keyring>;
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

/** The first retired generation. */
export function retiredOf(keyring: Keyring): Generation {
  const retired = keyring.list().find(({ state }) => state === "retired");
  if (retired === undefined) throw new Error("none is retired");
  return retired;
}

/** A keyring with a retired, an active and a next generation. */
export async function prepared(ground: KeyringGround): Promise<Keyring> {
  const keyring = await ground.open();
  await keyring.generate("op", { state: "active" });
  await keyring.generate("op", { state: "next" });
  return keyring;
}
