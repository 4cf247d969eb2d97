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

/** What sensors may encrypt to: the generations that are in use or next, and in nobody else's hands; as the backend takes them. */
export function recipientsOf(generations: readonly ListedGeneration[]) {
  return generations
    .filter(({ state, compromised }) => !compromised && (state === "active" || state === "next"))
    .map(({ keyId, publicKey, notBefore }) => ({
      key_id: keyId,
      public_key: Buffer.from(publicKey).toString("hex"),
      not_before: notBefore,
    }));
}

/**
 * Tells the backend which public keys sensors encrypt to.
 * @param manageSocket custody's management socket on this host
 */
export async function publishRecipients(manageSocket: string, operator: OperatorClient): Promise<void> {
  await operator("PUT", "/v1/recipients", recipientsOf(await listGenerations(manageSocket)));
}
