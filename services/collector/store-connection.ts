import { finished } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { type PostgresTls, postgresTls } from "../../shared/postgres-tls.ts";
import type { CopyStatement } from "./store-rows.ts";

/** Where the database is, and the collector's role in it. */
export interface StoreTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** @default no TLS */
  readonly tls?: PostgresTls | undefined;
}

/** Rows of a query by column name; numbers of 64 bits are numbers, since ours stay below 2^53. */
export type Rows = readonly Readonly<Record<string, unknown>>[];

/** One session of the database. */
export interface StoreSession {
  readonly query: (sql: string, values?: readonly unknown[]) => Promise<Rows>;
  readonly copy: (statement: CopyStatement) => Promise<void>;
}

/** The collector's connection, made when it is needed and given up after a fault. */
export interface StoreConnection {
  /** Runs `work` in one transaction. Whatever it throws rolls back. */
  readonly transaction: <T>(work: (session: StoreSession) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

const CONNECT_LIMIT_MS = 5_000;
/** Longer than the database lets another client hold it. */
const QUERY_LIMIT_MS = 60_000;
const INT8 = 20;

/** A connection that is not made yet. */
export function createStoreConnection({ tls, ...target }: StoreTarget): StoreConnection {
  let connected: Promise<pg.Client> | undefined;

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      ...target,
      ssl: tls ? postgresTls(tls) : false,
      application_name: "collector",
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: QUERY_LIMIT_MS,
      types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) },
    });
    // A connection that breaks while nobody uses it shows at its next use.
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
  const drop = async (): Promise<void> => {
    const dropped = connected;
    connected = undefined;
    await dropped?.then((client) => client.end()).catch(() => undefined);
  };
  const rollBack = async (): Promise<void> => {
    await connected?.then((client) => client.query("ROLLBACK")).catch(drop);
  };
  return {
    transaction: async (work) => {
      try {
        connected ??= connect();
        const client = await connected;
        await client.query("BEGIN");
        const result = await work(sessionOf(client));
        await client.query("COMMIT");
        return result;
      } catch (thrown) {
        if (thrown instanceof pg.DatabaseError) await rollBack();
        else await drop();
        throw thrown;
      }
    },
    close: drop,
  };
}

function sessionOf(client: pg.Client): StoreSession {
  return {
    query: async (sql, values = []) => (await client.query(sql, [...values])).rows,
    copy: async ({ sql, data }) => {
      const stream = client.query(copyFrom(sql));
      stream.end(data);
      await finished(stream);
    },
  };
}
