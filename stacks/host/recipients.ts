import type { OperatorClient } from "./operator-client.ts";

/** Calls the control socket of a component. */
export type Control = (component: string, method: "GET" | "POST", path: string, body?: unknown) => Promise<unknown>;

interface Generation {
  readonly key_id: string;
  readonly public_key: string;
  readonly state: string;
  readonly not_before: unknown;
}

/** Tells the backend which public keys sensors encrypt to: custody's generations that are in use or next. */
export async function publishRecipients(control: Control, operator: OperatorClient): Promise<void> {
  const generations = (await control("custody", "GET", "/generations")) as readonly Generation[];
  const usable = generations.filter(({ state }) => state === "active" || state === "next");
  const recipients = usable.map(({ key_id, public_key, not_before }) => ({ key_id, public_key, not_before }));
  await operator("PUT", "/v1/recipients", recipients);
}
