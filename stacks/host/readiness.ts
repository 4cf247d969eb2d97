import { setTimeout as sleep } from "node:timers/promises";
import { callControl } from "../../shared/control-client.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { hostErrors } from "./errors.ts";

/** What every component of ours answers to `GET /status`. */
export interface ComponentStatus {
  readonly ready: boolean;
  readonly pid: number;
  /** Why it is not ready. */
  readonly reason?: string;
  readonly counters: Readonly<Record<string, unknown>>;
}

/** How often an answer is asked for. */
const POLL_MS = 50;

/** What {@link waitReady} waits for. */
export interface ReadinessRequest {
  readonly name: string;
  readonly socket: string;
  /** Longest wait, in milliseconds. */
  readonly limitMs: number;
  readonly now: () => number;
  /** Set once waiting is pointless. */
  readonly failure: () => TrustKernError | undefined;
}

/**
 * Waits until a component says that it is ready.
 * @throws SERVICE_NOT_READY, and the component's own error where it ended
 */
export async function waitReady(request: ReadinessRequest): Promise<ComponentStatus> {
  const end = request.now() + request.limitMs;
  let reason = "it did not answer";
  while (request.now() < end) {
    const failure = request.failure();
    if (failure !== undefined) throw failure;
    try {
      const status = await statusOf(request.socket);
      if (status.ready) return status;
      reason = status.reason ?? "no reason given";
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError)) throw thrown;
    }
    await sleep(POLL_MS);
  }
  throw hostErrors.error(
    "SERVICE_NOT_READY",
    `${request.name} is not ready after ${Math.round(request.limitMs / 1000)} s: ${reason}`,
    { path: request.name },
  );
}

/**
 * The status of a component.
 * @throws CONTROL_UNREACHABLE, CONTROL_FAILED
 */
export async function statusOf(socket: string): Promise<ComponentStatus> {
  return (await callControl(socket, "GET", "/status", undefined, { timeoutSeconds: 5 })) as ComponentStatus;
}
