import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { createClient, type MigrationTarget } from "../../modules/timescaledb/migrate.ts";
import { messageOf } from "../../shared/errors.ts";
import { schemaErrors } from "./errors.ts";

const ATTEMPT_MS = 5_000;
const PAUSE_MS = 250;
/** Classes of SQLSTATE that waiting does not mend: invalid authorization, no such database. */
const FINAL_CLASSES: ReadonlySet<string> = new Set(["28", "3D"]);

/** How {@link connectWhenThere} waits. */
export interface WaitOptions {
  readonly waitSeconds: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly onAway: (reason: string) => void;
}

/**
 * A connection to a database that may still be starting.
 * @throws SCHEMA_DATABASE_AWAY, SCHEMA_DATABASE_REFUSED
 */
export async function connectWhenThere(
  target: MigrationTarget,
  { waitSeconds, now, onAway }: WaitOptions,
): Promise<pg.Client> {
  const path = `${target.host}:${target.port}/${target.database}`;
  const end = now() + waitSeconds * 1000;
  for (;;) {
    const client = createClient(target, ATTEMPT_MS);
    try {
      await client.connect();
      return client;
    } catch (cause) {
      await client.end().catch(() => undefined);
      const reason = messageOf(cause) || String((cause as { code?: unknown }).code);
      if (cause instanceof pg.DatabaseError && FINAL_CLASSES.has(cause.code?.slice(0, 2) ?? ""))
        throw schemaErrors.error("SCHEMA_DATABASE_REFUSED", `"${target.user}" may not log in: ${reason}`, {
          path,
          cause,
        });
      if (now() >= end)
        throw schemaErrors.error("SCHEMA_DATABASE_AWAY", `not reached within ${waitSeconds} s: ${reason}`, {
          path,
          cause,
        });
      onAway(reason);
    }
    await delay(PAUSE_MS);
  }
}
