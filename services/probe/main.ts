import { callControl } from "../../shared/control-client.ts";
import { EXIT, messageOf } from "../../shared/errors.ts";

/** Shorter than the time that an engine gives a health check. */
const LIMIT_SECONDS = 4;

// The health check of a container of ours: `probe.mjs SOCKET` ends with 0 when the service behind the control socket is ready,
// and otherwise with 1 and one line on stderr.
const [socket] = process.argv.slice(2);
const reason = socket === undefined ? "usage: probe.mjs SOCKET" : await whyNotReady(socket);
if (reason !== undefined) {
  process.stderr.write(`${reason}\n`);
  process.exitCode = EXIT.failed;
}

async function whyNotReady(socketPath: string): Promise<string | undefined> {
  try {
    const status = await callControl(socketPath, "GET", "/status", undefined, { timeoutSeconds: LIMIT_SECONDS });
    const { ready, reason } = status as { readonly ready?: unknown; readonly reason?: unknown };
    if (ready === true) return undefined;
    return `not ready${typeof reason === "string" ? `: ${reason.replaceAll(/\s+/g, " ")}` : ""}`;
  } catch (thrown) {
    return messageOf(thrown).replaceAll(/\s+/g, " ");
  }
}
