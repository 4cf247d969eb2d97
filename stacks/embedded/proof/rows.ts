import { setTimeout as sleep } from "node:timers/promises";
import type { ProofContext } from "./step.ts";

/** Longest wait for a row or a receipt, in milliseconds. */
export const ROW_MS = 20_000;

/** A row of telemetry, with the digest of the envelope that it came from. */
export interface Row {
  readonly payload: Record<string, unknown>;
  readonly temperature_c: number | null;
  readonly gateway: string;
  readonly digest: Buffer;
}

/** The rows of one message, as soon as there is one; none when none has come in time. */
export async function waitForRow(
  context: ProofContext,
  sensorId: string,
  bootId: number,
  seq: number,
): Promise<readonly Row[]> {
  const key = [Buffer.from(sensorId, "hex"), bootId, seq];
  for (let waited = 0; waited < ROW_MS; waited += 100) {
    const rows = await context.database.query<Row>(
      `SELECT t.payload, t.temperature_c, t.gateway, s.digest FROM telemetry t JOIN envelope_seen s USING (sensor_id, boot_id, seq)
        WHERE t.sensor_id = $1 AND t.boot_id = $2 AND t.seq = $3`,
      key,
    );
    if (rows.length > 0) return rows;
    await sleep(100);
  }
  return [];
}
