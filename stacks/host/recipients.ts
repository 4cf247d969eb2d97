import { listGenerations } from "./custody-management.ts";
import type { OperatorClient } from "./operator-client.ts";

/** Calls the control socket of a component. */
export type Control = (component: string, method: "GET" | "POST", path: string, body?: unknown) => Promise<unknown>;

/**
 * Tells the backend which public keys sensors encrypt to: custody's generations that are in use or next.
 * @param manageSocket custody's management socket on this host
 */
export async function publishRecipients(manageSocket: string, operator: OperatorClient): Promise<void> {
  const generations = await listGenerations(manageSocket);
  const usable = generations.filter(({ state }) => state === "active" || state === "next");
  const recipients = usable.map(({ keyId, publicKey, notBefore }) => ({
    key_id: keyId,
    public_key: Buffer.from(publicKey).toString("hex"),
    not_before: notBefore,
  }));
  await operator("PUT", "/v1/recipients", recipients);
}
