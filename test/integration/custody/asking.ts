import type { KemItem, KemResult } from "../../../custody/kem.ts";
import { hpkeSeal, openWithSharedSecret, TELEMETRY_INFO } from "../../../protocol/hpke.ts";
import type { KemClient } from "../../../services/collector/kem/client.ts";
import {
  type CustodyManagement,
  custodyManagement,
  type ListedGeneration,
  MANAGE_MS,
} from "../../../stacks/host/custody-management.ts";

const PLAINTEXT = Buffer.from("measured");
const AAD = Buffer.from("header");

/** A message to a generation: what custody is asked to open, and the rest of the ciphertext. */
export function sealTo({ keyId, publicKey }: Pick<ListedGeneration, "keyId" | "publicKey">): {
  readonly item: KemItem;
  readonly ciphertext: Uint8Array;
} {
  const { enc, ciphertext } = hpkeSeal(publicKey, TELEMETRY_INFO, AAD, PLAINTEXT);
  return { item: { keyId: Buffer.from(keyId, "hex"), encapsulatedKey: enc }, ciphertext };
}

/** Whether a message to a generation opens. */
export async function opens(kem: KemClient, generation: ListedGeneration): Promise<boolean> {
  const { item, ciphertext } = sealTo(generation);
  const [result] = await kem.open([item]);
  return openedBy(result, ciphertext);
}

/** Whether a result opens the ciphertext that {@link sealTo} made. */
export function openedBy(result: KemResult | undefined, ciphertext: Uint8Array): boolean {
  const plaintext = result instanceof Uint8Array ? openWithSharedSecret(result, TELEMETRY_INFO, AAD, ciphertext) : null;
  return plaintext !== null && PLAINTEXT.equals(plaintext);
}

/** Calls one method of management, on a connection of its own. */
export async function manage<K extends Parameters<CustodyManagement["call"]>[0]>(
  socket: string,
  method: K,
  request: object = {},
) {
  const management = custodyManagement(socket);
  try {
    return await management.call(method, { actor: "op-test", ...request } as never, MANAGE_MS);
  } finally {
    management.close();
  }
}

/** The active generation, as management lists it. */
export async function activeOf(socket: string): Promise<ListedGeneration> {
  const { generations } = await manage(socket, "listGenerations");
  const active = generations.find(({ state }) => state === "active");
  if (active === undefined) throw new Error("no active generation");
  return active;
}
