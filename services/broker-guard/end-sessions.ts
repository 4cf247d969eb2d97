import { X509Certificate } from "node:crypto";
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
 * of a user that it forgets, so each user is made known and forgotten. The guard's own sessions end last, this one among them.
 * @throws GUARD_SESSION_NOT_ENDED
 */
export async function endSessions(listener: Listener, tls: Tls13Options, users: readonly string[]): Promise<void> {
  const own = ownUser(tls.cert);
  const others = users.filter((user) => user !== own);
  if (users.length === 0) return;
  const verdict = await connectOnce(listener, tls, async (client) => {
    await client.subscribeAsync(`${TOPIC}/response`, { qos: 1 });
    for (let at = 0; at < others.length; at += BATCH) await forget(client, others.slice(at, at + BATCH));
    if (others.length < users.length) await forgetItself(client, own);
  });
  if (verdict !== "accepted") throw notEnded(`the broker does not take the guard's connection: ${verdict}`);
}

async function forget(client: MqttClient, users: readonly string[]): Promise<void> {
  const [text] = await Promise.all([
    heard(client, "message"),
    client.publishAsync(TOPIC, commandsFor(users), { qos: 1 }),
  ]);
  const { responses } = answer.parse(JSON.parse(text));
  const deleted = responses.filter(({ command, error }) => command === "deleteClient" && error === undefined);
  if (deleted.length !== users.length) throw notEnded(`${deleted.length} of ${users.length} users were forgotten`);
}

/** Nobody is left to hear the answer: the end of the connection is the answer. */
async function forgetItself(client: MqttClient, own: string): Promise<void> {
  const closed = heard(client, "close");
  client.publish(TOPIC, commandsFor([own]), { qos: 0 });
  await closed;
}

function commandsFor(users: readonly string[]): string {
  const commands = users.flatMap((username) =>
    ["createClient", "deleteClient"].map((command) => ({ command, username })),
  );
  return JSON.stringify({ commands });
}

/** The first message, or the end of the connection; nothing comes after that. */
function heard(client: MqttClient, what: "message" | "close"): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(notEnded(`no answer in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    client.once("message", (_, payload) => {
      clearTimeout(timer);
      resolve(payload.toString("utf8"));
    });
    client.once("close", () => {
      clearTimeout(timer);
      if (what === "close") resolve("");
      else reject(notEnded("the broker ended the guard's connection before its answer"));
    });
  });
}

/** Mosquitto's name of who shows this certificate: its subject as RFC 2253 writes it, from its end. */
function ownUser(certPem: string): string {
  return new X509Certificate(certPem).subject.split("\n").reverse().join();
}

function notEnded(message: string): Error {
  return guardErrors.error("GUARD_SESSION_NOT_ENDED", message, { path: TOPIC });
}
