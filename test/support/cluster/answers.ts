import { Resolver } from "node:dns/promises";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterErrors } from "./errors.ts";
import type { ClusterNode } from "./node.ts";
import type { Credentials } from "./render/credentials.ts";
import { API_PORT, type Part } from "./render/words.ts";

const POLL_MS = 100;
const ASK_MS = 2_000;

/** What {@link untilReady} waits for. */
export interface Waiting {
  /** For people: `the API server`. */
  readonly what: string;
  /** What has to run meanwhile; the last lines of the last one are shown when time is up. */
  readonly parts: readonly Part[];
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly ask: () => Promise<boolean>;
}

/**
 * Asks until the answer is yes.
 * @throws CLUSTER_START_FAILED as soon as a part has ended, CLUSTER_STEP_TIMEOUT, CLUSTER_CANCELLED
 */
export async function untilReady(node: ClusterNode, { what, parts, seconds, signal, ask }: Waiting): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    if (signal.aborted) throw clusterErrors.error("CLUSTER_CANCELLED", `cancelled while ${what} started`);
    node.assertRunning(parts);
    if (await ask()) return;
    if (Date.now() > end) {
      const lines = node.lastLines(parts.at(-1) ?? "");
      throw clusterErrors.error("CLUSTER_STEP_TIMEOUT", `${what} was not ready within ${seconds} s\n${lines}`);
    }
    await sleep(POLL_MS);
  }
}

/** Whether the API server says that it is ready, to its administrator. */
export function apiAnswers(address: string, { authority, administrator }: Credentials): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({
      host: address,
      port: API_PORT,
      path: "/readyz",
      ca: authority,
      cert: administrator.certPem,
      key: administrator.keyPem,
      agent: false,
      signal: AbortSignal.timeout(ASK_MS),
    });
    asked.once("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once("error", () => resolve(false));
    asked.end();
  });
}

/** Whether the name service, asked at its Service's address from this machine, knows a Service by its address. */
export async function dnsAnswers(server: string, name: string, address: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: ASK_MS, tries: 1 });
  resolver.setServers([server]);
  return resolver.resolve4(name).then(
    (found) => found.includes(address),
    () => false,
  );
}
