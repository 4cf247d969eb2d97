import { lookup } from "node:dns/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { Replication } from "../../custody/proto/custody_pb.ts";
import { messageOf } from "../../shared/errors.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import { handshakeProblem, type ServerAddress } from "../runtime/grpc/handshake.ts";
import { grpcTlsClient } from "../runtime/grpc/tls-client.ts";
import type { Tls13Options } from "../runtime/tls.ts";
import type { CustodyBrokerConfig } from "./config.ts";
import type { CustodyLink } from "./custody-link.ts";

/** What {@link followWriter} works with. */
export interface FollowWriterOptions {
  readonly replicas: NonNullable<CustodyBrokerConfig["replicas"]>;
  readonly tls: Tls13Options;
  readonly link: Pick<CustodyLink, "ask">;
  readonly events: Pick<EventLimiter, "report">;
  readonly log: Pick<Logger, "info" | "warn">;
  readonly signal: AbortSignal;
}

/** What the writer does for an answer is a few reads. */
const WRITER_MS = 10_000;
/** Taking one may need as many calls of the service that wraps keys as there are keys. */
const TAKE_MS = 60_000;
/** What was refused is refused again, most likely. */
const REFUSED_MS = 30_000;
/** Times in vain between two handshakes that find out why. */
const DIAGNOSE_EVERY = 20;

/** What became of one round. */
type Outcome = "followed" | "nothing to follow" | "custody away" | "writer away" | "refused";

/**
 * Carries questions of the crypto service to the writer's broker and answers back, until the signal aborts. Each time on a new
 * connection, with the certificates and revocation lists of then. A custody that writes asks nothing.
 */
export async function followWriter(options: FollowWriterOptions): Promise<void> {
  const { replicas, log, signal } = options;
  const everyMs = replicas.everySeconds * 1000;
  let last: Outcome | undefined;
  let inVain = 0;
  while (!signal.aborted) {
    const { outcome, why } = await round(options);
    if (outcome !== last) log[outcome.endsWith("away") || outcome === "refused" ? "warn" : "info"]({ why }, outcome);
    last = outcome;
    if (outcome !== "writer away") inVain = 0;
    else if (inVain++ % DIAGNOSE_EVERY === 0) await tellWhy(options);
    const waitMs = outcome === "refused" ? Math.max(everyMs, Math.min(REFUSED_MS, everyMs * 6)) : everyMs;
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

async function round(options: FollowWriterOptions): Promise<{ readonly outcome: Outcome; readonly why?: string }> {
  const { link } = options;
  const asked = await link.ask({ follow: true }).catch(() => null);
  if (asked === null) return { outcome: "custody away" };
  if (!("question" in asked)) return { outcome: "nothing to follow" };
  let answer: Awaited<ReturnType<typeof askWriter>>;
  try {
    answer = await askWriter(options, asked.question);
  } catch (thrown) {
    return { outcome: "writer away", why: messageOf(thrown) };
  }
  const { statement, introduction, state, keys } = answer;
  const heard = { statement, introduction, state, keys: keys.map(({ keyId, wrapped }) => ({ keyId, wrapped })) };
  const taken = await link.ask({ heard }, TAKE_MS).catch(() => null);
  if (taken === null) return { outcome: "custody away" };
  if (!("error" in taken)) return { outcome: "followed" };
  return { outcome: "refused", why: taken.error === "sealed" ? taken.error : taken.code };
}

async function askWriter(
  options: FollowWriterOptions,
  question: { readonly challenge: Uint8Array; readonly known: string },
) {
  const client = grpcTlsClient(Replication, await addressOf(options), options.tls);
  try {
    return await client.call("state", question, WRITER_MS);
  } finally {
    client.close();
  }
}

async function addressOf({ replicas: { writer } }: FollowWriterOptions): Promise<ServerAddress> {
  const { address } = await lookup(writer.host);
  return { address, port: writer.port, servername: writer.servername };
}

async function tellWhy(options: FollowWriterOptions): Promise<void> {
  const at = await addressOf(options).catch(() => null);
  const reason = at && (await handshakeProblem(at, options.tls));
  if (reason !== null)
    options.events.report({ kind: "AUTH_FAILED", actor: "custody-broker", object: "custody-writer", reason });
}
