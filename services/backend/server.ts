import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Logger } from "pino";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
import type { EventLimiter } from "../runtime/event-limiter.ts";
import { errorBody, jsonListener, type Route } from "../runtime/http.ts";
import { createMutualServer } from "../runtime/mutual-server.ts";
import type { Tls13Options } from "../runtime/tls.ts";
import type { Gate } from "./gate.ts";

/** Routes whose bodies hold many certificates or devices, and how long those may be. */
const LONG_BODIES: Readonly<Record<string, number>> = { "/v1/crls": 8_388_608, "/v1/device-records": 8_388_608 };

const TOKEN_FAILURE = /^(?:TOKEN_|ENROLMENT_TOKEN_|IDENTITY_LOCKED$)/;

/** What {@link createBackendServer} serves. */
export interface BackendServerOptions {
  readonly tls: Tls13Options;
  readonly routes: readonly Route[];
  readonly gate: Pick<Gate, "admit" | "lockedSeconds" | "nameOf">;
  readonly events: Pick<EventLimiter, "report">;
  readonly log: Pick<Logger, "error">;
}

/**
 * The HTTPS server: TLS 1.3 with client certificates, a gate in front of the routes, an event for each refusal. Who is locked
 * out gets 429 with `Retry-After`.
 */
export function createBackendServer({ tls, routes, gate, events, log }: BackendServerOptions): Server {
  const onError = (thrown: unknown, message: IncomingMessage): void => {
    if (!(thrown instanceof TrustKernError) || thrown.exit === EXIT.resource || thrown.exit === EXIT.bug)
      log.error({ err: thrown, url: message.url }, "request failed");
    else if (thrown.exit === EXIT.authentication || thrown.exit === EXIT.policy)
      events.report({
        kind:
          TOKEN_FAILURE.test(thrown.code) && thrown.exit === EXIT.authentication ? "TOKEN_AUTH_FAILED" : "AUTH_FAILED",
        actor: gate.nameOf(message),
        sourceAddress: message.socket.remoteAddress ?? null,
        object: `${message.method} ${message.url}`,
        reason: thrown.code,
      });
  };
  const refusals = new WeakMap<IncomingMessage, unknown>();
  const admit = (message: IncomingMessage): void => {
    if (refusals.has(message)) throw refusals.get(message);
  };
  const usual = { routes: () => routes, onError, admit };
  const short = jsonListener(usual);
  const long = new Map(
    Object.entries(LONG_BODIES).map(([path, maxBodyBytes]) => [path, jsonListener({ ...usual, maxBodyBytes })]),
  );
  const listener: RequestListener = (message, response) => {
    const pathname = URL.parse(message.url ?? "/", "http://service")?.pathname ?? "/";
    try {
      gate.admit(message, pathname);
    } catch (thrown) {
      if (thrown instanceof TrustKernError && thrown.code === "IDENTITY_LOCKED") {
        onError(thrown, message);
        answerLocked(response, thrown, gate.lockedSeconds(message));
        return;
      }
      refusals.set(message, thrown);
    }
    (long.get(pathname) ?? short)(message, response);
  };
  return createMutualServer({ tls, listener, events });
}

/** RFC 6585, section 4. */
function answerLocked(response: ServerResponse, error: TrustKernError, seconds: number): void {
  const text = `${JSON.stringify({ error: errorBody(error) })}\n`;
  response.writeHead(429, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "retry-after": String(seconds),
    connection: "close",
  });
  response.end(text);
}
