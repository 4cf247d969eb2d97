import { request } from "node:http";
import { type Catalogue, catalogue, EXIT, messageOf, TrustKernError } from "./errors.ts";

/** Error codes of a call to a control socket. */
export const controlErrors: Catalogue<"CONTROL_UNREACHABLE" | "CONTROL_FAILED"> = catalogue({
  CONTROL_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "A service's control socket does not answer.",
    fix: "check that the deployment runs; its supervisor restarts a service that died",
  },
  CONTROL_FAILED: {
    exit: EXIT.failed,
    summary: "A service answered its control socket with something that is no JSON answer.",
    fix: "read the service's log",
  },
});

/** How {@link callControl} waits. */
export interface ControlCallOptions {
  /** @default 30 */
  readonly timeoutSeconds?: number;
}

/**
 * Calls a service's control socket and gives the JSON that it answers.
 * @throws CONTROL_UNREACHABLE
 * @throws CONTROL_FAILED
 * @throws the service's own error, with its code, when it refuses
 */
export async function callControl(
  socketPath: string,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  { timeoutSeconds = 30 }: ControlCallOptions = {},
): Promise<unknown> {
  const { status, text } = await exchange(socketPath, method, path, body, timeoutSeconds);
  const value = parseJson(text, socketPath);
  if (status === 200) return value;
  throw remoteError(status, value, socketPath);
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  timeoutSeconds: number,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const unreachable = (cause: unknown): void =>
      reject(
        controlErrors.error("CONTROL_UNREACHABLE", `${method} ${path}: ${messageOf(cause)}`, {
          path: socketPath,
          cause,
        }),
      );
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const call = request({ socketPath, method, path, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", unreachable);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    call.on("error", unreachable);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function parseJson(text: string, socketPath: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw controlErrors.error("CONTROL_FAILED", "the answer is not JSON", { path: socketPath, cause });
  }
}

/**
 * An error that a service answered with. What the code means is the caller's catalogue to say: the service may be of another version,
 * and its words are for whoever reads its log.
 */
export class RemoteError extends TrustKernError {}

/** The error of a refused call: the service's own where it sent one, a {@link RemoteError}. */
export function remoteError(status: number, value: unknown, socketPath: string): TrustKernError {
  const { code, message, path, fix } = (value as { error?: Record<string, unknown> } | null)?.error ?? {};
  if (typeof code !== "string" || typeof message !== "string" || typeof fix !== "string")
    return controlErrors.error("CONTROL_FAILED", `the service answered with status ${status}`, { path: socketPath });
  const entry = { exit: EXIT.failed, summary: message, fix };
  return new RemoteError(code, entry, message, { path: typeof path === "string" ? path : undefined });
}
