import type { MqttClient } from "mqtt";
import { z } from "zod";
import type { Tls13Options } from "../runtime/tls.ts";
import { connectOnce, type Listener } from "./connect.ts";
import { guardErrors } from "./errors.ts";

const TOPIC = "$CONTROL/dynamic-security/v1";
const TIMEOUT_MS = 5000;
/** Users in one command. */
const BATCH = 100;

const answer = z.object({
  responses: z.array(z.object({ command: z.string(), error: z.string().optional() })),
});

/** What Mosquitto's dynamic security plugin starts with: it knows nobody and allows nothing, so that the ACL file alone decides. */
export const EMPTY_DYNAMIC_SECURITY = `${JSON.stringify({
  defaultACLAccess: {
    publishClientSend: false,
    publishClientReceive: false,
    subscribe: false,
    unsubscribe: false,
  },
})}\n`;

/**
 * Ends every open session of these users. Mosquitto has no command for that; its dynamic security plugin ends the sessions
 * of a user that it forgets, so each user is made known and forgotten.
 * @throws GUARD_SESSION_NOT_ENDED
 */
export async function endSessions(listener: Listener, tls: Tls13Options, users: readonly string[]): Promise<void> {
  if (users.length === 0) return;
  const verdict = await connectOnce(listener, tls, async (client) => {
    await client.subscribeAsync(`${TOPIC}/response`, { qos: 1 });
    for (let at = 0; at < users.length; at += BATCH) await forget(client, users.slice(at, at + BATCH));
  });
  if (verdict !== "accepted") throw notEnded(`the broker does not take the guard's connection: ${verdict}`);
}

async function forget(client: MqttClient, users: readonly string[]): Promise<void> {
  const commands = users.flatMap((username) =>
    ["createClient", "deleteClient"].map((command) => ({ command, username })),
  );
  const response = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(notEnded(`no answer in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    client.once("message", (_, payload) => {
      clearTimeout(timer);
      resolve(payload.toString("utf8"));
    });
  });
  await client.publishAsync(TOPIC, JSON.stringify({ commands }), { qos: 1 });
  const { responses } = answer.parse(JSON.parse(await response));
  const deleted = responses.filter(({ command, error }) => command === "deleteClient" && error === undefined);
  if (deleted.length !== users.length) throw notEnded(`${deleted.length} of ${users.length} users were forgotten`);
}

function notEnded(message: string): Error {
  return guardErrors.error("GUARD_SESSION_NOT_ENDED", message, { path: TOPIC });
}
