import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { makePrivateDir, writing } from "./files.ts";
import type { Layout } from "./layout.ts";

/**
 * Appends an event to the log of what the command line itself does.
 * @throws STATE_UNWRITABLE
 */
export function logEvent({ logsDir }: Layout, event: SecurityEvent): void {
  const file = join(logsDir, "deploy.ndjson");
  makePrivateDir(logsDir);
  writing(file, () => appendFileSync(file, `${JSON.stringify({ event })}\n`, { mode: 0o600 }));
}
