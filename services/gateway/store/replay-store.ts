import type { DatabaseSync } from "node:sqlite";
import type { ReplayState } from "../../../protocol/replay-window.ts";

/** The anti-replay windows on disk, one for each sensor that was ever accepted. */
export interface ReplayStore {
  readonly load: (sensorId: string) => ReplayState | undefined;
  readonly save: (sensorId: string, state: ReplayState) => void;
  /** Whether a message of that sensor was accepted before. */
  readonly knows: (sensorId: string) => boolean;
}

/** The windows in an open database. */
export function createReplayStore(database: DatabaseSync): ReplayStore {
  const select = database.prepare("SELECT state FROM replay WHERE sensor_id = ?");
  const exists = database.prepare("SELECT 1 FROM replay WHERE sensor_id = ?");
  const upsert = database.prepare(
    "INSERT INTO replay (sensor_id, state) VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state",
  );
  return {
    load(sensorId) {
      const row = select.get(sensorId);
      return row ? (JSON.parse(String(row.state)) as ReplayState) : undefined;
    },
    save: (sensorId, state) => void upsert.run(sensorId, JSON.stringify(state)),
    knows: (sensorId) => exists.get(sensorId) !== undefined,
  };
}
