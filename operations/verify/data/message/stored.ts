import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import type { Model } from "../../../../model/boundary.ts";
import { serverName } from "../../../../model/placement.ts";
import { DATABASE } from "../../../../modules/timescaledb/component.ts";
import { postgresTls } from "../../../../shared/postgres-tls.ts";
import type { Layout } from "../../../../stacks/host/layout.ts";
import type { Marker } from "./marker.ts";

const PASSWORD = "reader.password";
const CONNECT_MS = 10_000;

/** The component that has the rows. */
export const ROWS_OF = "database";

/** Rows of the deployment's database, as the role that may only read. */
export interface Rows {
  /**
   * How many rows hold a marker's plaintext, whoever they are said to be of, and how many are of its sensor.
   * @throws what `pg` throws
   */
  readonly of: (marker: Marker, sensorId: string) => Promise<RowCount>;
  readonly close: () => Promise<void>;
}

/** What {@link Rows} found of one marker. */
export interface RowCount {
  /** Rows of `telemetry` with the marker's text. */
  readonly rows: number;
  /** Of these, the ones that are of the sensor, came through the gateway, and hold all that was measured, and nothing else. */
  readonly whole: number;
}

/** One row of `telemetry`. */
export interface Row {
  readonly sensor: string;
  readonly gateway: string;
  readonly payload: unknown;
}

/** How many rows there are, and how many are what the sensor measured and sent through the gateway. */
export function countRows(rows: readonly Row[], { gateway, payload }: Marker, sensorId: string): RowCount {
  const whole = rows.filter(
    (row) => row.sensor === sensorId && row.gateway === gateway && isDeepStrictEqual(row.payload, payload),
  );
  return { rows: rows.length, whole: whole.length };
}

/** Where the database is, and the secrets that this machine has of it. */
export interface RowsPlace {
  readonly host: string;
  readonly port: number;
  readonly layout: Pick<Layout, "secretsDir">;
  readonly model: Pick<Model, "components">;
  readonly tenant: string;
}

/**
 * Connects over TLS 1.3, verified in full.
 * @throws what `pg` throws, and the file system
 */
export async function openRows({ host, port, layout, model, tenant }: RowsPlace): Promise<Rows> {
  const holder = model.components.find(({ secrets }) => secrets.some(({ name }) => name === PASSWORD));
  const secret = (component: string, name: string) => readFileSync(join(layout.secretsDir, component, name), "utf8");
  const client = new pg.Client({
    host,
    port,
    database: DATABASE.database,
    user: DATABASE.reader,
    password: secret(holder?.name ?? "", PASSWORD),
    ssl: postgresTls({ ca: secret("collector", "ca.crt"), servername: serverName(ROWS_OF, tenant) }),
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: CONNECT_MS,
  });
  // It is not there any more: the next query says so.
  client.on("error", () => undefined);
  await client.connect();
  return {
    of: async (marker, sensorId) => {
      const { rows } = await client.query<Row>(
        `SELECT encode(sensor_id, 'hex') AS sensor, gateway, payload FROM telemetry
          WHERE received_at > now() - interval '1 hour' AND payload->>'verification' = $1`,
        [marker.payload.verification],
      );
      return countRows(rows, marker, sensorId);
    },
    close: () => client.end(),
  };
}
