import { z } from "zod";
import { type ListedGeneration, listGenerations } from "./custody-management.ts";
import type { OperatorClient } from "./operator-client.ts";

/** Calls the control socket of a component. */
export type Control = (component: string, method: "GET" | "POST", path: string, body?: unknown) => Promise<unknown>;

const updated = z.object({ issued: z.int(), remaining: z.int() });

/**
 * Has the backend sign an update for every active sensor that lacks the present keys. Each gateway hands its sensors theirs over.
 * @throws SERVICE_FAILED, and what the backend refuses with
 */
export async function updateSensors(operator: OperatorClient): Promise<void> {
  for (;;) {
    const { issued, remaining } = updated.parse(await operator("POST", "/v1/updates"));
    if (remaining === 0 || issued === 0) return;
  }
}

/** A public key as the backend takes it. */
export interface BackendRecipient {
  readonly key_id: string;
  /** Raw X25519, lower-case hex. */
  readonly public_key: string;
  /** RFC 3339. Sensors take the key with the latest one that is over. */
  readonly not_before: string;
}

/**
 * What sensors may encrypt to: the generations that are in use or next, and in nobody else's hands; as the backend takes them.
 * @param preferred key id of the one that sensors are to use before any other, also where a younger one has come since. @default the youngest
 */
export function recipientsOf(
  generations: readonly ListedGeneration[],
  preferred?: string | undefined,
): readonly BackendRecipient[] {
  const usable = generations.filter(
    ({ state, compromised }) => !compromised && (state === "active" || state === "next"),
  );
  const others = usable.filter(({ keyId }) => keyId !== preferred).map(({ notBefore }) => Date.parse(notBefore) + 1);
  return usable.map(({ keyId, publicKey, notBefore }) => ({
    key_id: keyId,
    public_key: Buffer.from(publicKey).toString("hex"),
    not_before: keyId === preferred ? latest(notBefore, others) : notBefore,
  }));
}

function latest(at: string, othersMs: readonly number[]): string {
  const otherMs = Math.max(...othersMs);
  return Date.parse(at) >= otherMs ? at : new Date(otherMs).toISOString();
}

/**
 * Tells the backend which public keys sensors encrypt to.
 * @param manageSocket custody's management socket on this host
 * @param preferred as of {@link recipientsOf}
 */
export async function publishRecipients(
  manageSocket: string,
  operator: OperatorClient,
  preferred?: string | undefined,
): Promise<void> {
  await operator("PUT", "/v1/recipients", recipientsOf(await listGenerations(manageSocket), preferred));
}
