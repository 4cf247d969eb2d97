import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../shared/errors.ts";
import { simulatorErrors } from "../errors.ts";

/** How far a sensor has come in its life. */
export type SensorState = "factory" | "provisioned" | "joined";

/** A message that waits for its answer. */
export interface PendingMessage {
  readonly bootId: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly plaintext: string;
}

/** A sensor's whole non-volatile memory. */
export interface SensorMemory {
  readonly state: SensorState;
  /** Port that the provisioning radio has or had, or null before it was first opened. */
  readonly provisioningPort: number | null;
  /** The signed bundle, and the activation that was signed for it; null in state `factory`. */
  readonly bundle: string | null;
  readonly activation: string | null;
  /** Signed update of the recipients that was taken last, or 0. */
  readonly updateCounter: number;
  /** Recipients in JSON. */
  readonly recipients: string;
  readonly bootId: number;
  /** Sequence number that was used last in this boot, or 0. */
  readonly seq: number;
  readonly pending: PendingMessage | null;
  /** The message that was acknowledged last. */
  readonly last: PendingMessage | null;
  readonly acknowledged: number;
  readonly rejected: number;
}

/** One line of the ledger: a message that the gateway acknowledged with 2.04. */
export interface LedgerEntry {
  readonly id: number;
  readonly sensor_id: string;
  readonly boot_id: number;
  readonly seq: number;
  /** SHA-256 of the envelope, lower-case hex. */
  readonly digest: string;
  readonly plaintext: string;
}

/** A run that was asked for: messages a second over all sensors, and how many in all. */
export interface RunState {
  readonly rate: number;
  /** null for no end. */
  readonly total: number | null;
  readonly sent: number;
}

/** The memories of all simulated sensors. What was written survives the death of the process. */
export interface Nvm {
  /** Ids of all sensors, oldest first. */
  readonly sensorIds: () => readonly string[];
  readonly create: (sensorId: string) => void;
  readonly load: (sensorId: string) => SensorMemory;
  /** All of the changes, or none. */
  readonly save: (sensorId: string, changes: Partial<SensorMemory>) => void;
  readonly append: (entry: Omit<LedgerEntry, "id">) => void;
  readonly ledger: (afterId: number, limit: number) => readonly LedgerEntry[];
  readonly run: () => RunState | null;
  readonly saveRun: (run: RunState | null) => void;
  /** All that `work` writes, or nothing. May be nested. */
  readonly transaction: (work: () => void) => void;
  readonly close: () => void;
}

const FRESH: SensorMemory = {
  state: "factory",
  provisioningPort: null,
  bundle: null,
  activation: null,
  updateCounter: 0,
  recipients: "[]",
  bootId: 0,
  seq: 0,
  pending: null,
  last: null,
  acknowledged: 0,
  rejected: 0,
};

// One row for each member, so that a message rewrites its own members alone.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sensor (position INTEGER PRIMARY KEY AUTOINCREMENT, sensor_id TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS memory (
    sensor_id TEXT NOT NULL, member TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (sensor_id, member)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sensor_id TEXT NOT NULL, boot_id INTEGER NOT NULL, seq INTEGER NOT NULL,
    digest TEXT NOT NULL, plaintext TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS run (only INTEGER PRIMARY KEY CHECK (only = 1), state TEXT NOT NULL) STRICT;
`;

/**
 * Opens the memories in the state directory. Not synced at each write: they are to survive the process, not the host.
 * @throws SIM_STATE_UNUSABLE
 */
export function openNvm(stateDir: string): Nvm {
  const path = join(stateDir, "sensors.db");
  const database = open(stateDir, path);
  const ids = database.prepare("SELECT sensor_id FROM sensor ORDER BY position");
  const insert = database.prepare("INSERT INTO sensor (sensor_id) VALUES (?)");
  const members = database.prepare("SELECT member, value FROM memory WHERE sensor_id = ?");
  const put = database.prepare(
    "INSERT INTO memory (sensor_id, member, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  );
  const append = database.prepare(
    "INSERT INTO ledger (sensor_id, boot_id, seq, digest, plaintext) VALUES (?, ?, ?, ?, ?)",
  );
  const behind = database.prepare("SELECT * FROM ledger WHERE id > ? ORDER BY id LIMIT ?");
  const readRun = database.prepare("SELECT state FROM run");
  const putRun = database.prepare(
    "INSERT INTO run (only, state) VALUES (1, ?) ON CONFLICT DO UPDATE SET state = excluded.state",
  );

  function transaction(work: () => void): void {
    database.exec("SAVEPOINT work");
    try {
      work();
      database.exec("RELEASE work");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK TO work; RELEASE work");
      throw error;
    }
  }

  return {
    sensorIds: () => ids.all().map((row) => String(row.sensor_id)),
    create: (sensorId) => void insert.run(sensorId),
    load(sensorId) {
      const stored = members.all(sensorId).map(({ member, value }) => [member, parse(String(value))]);
      return { ...FRESH, ...Object.fromEntries(stored) } as SensorMemory;
    },
    save: (sensorId, changes) =>
      transaction(() => {
        for (const [member, value] of Object.entries(changes)) put.run(sensorId, member, render(value));
      }),
    append: ({ sensor_id, boot_id, seq, digest, plaintext }) =>
      void append.run(sensor_id, boot_id, seq, digest, plaintext),
    ledger: (afterId, limit) => behind.all(afterId, limit) as unknown as readonly LedgerEntry[],
    run() {
      const row = readRun.get();
      return row ? (JSON.parse(String(row.state)) as RunState | null) : null;
    },
    saveRun: (run) => void putRun.run(JSON.stringify(run)),
    transaction,
    close: () => database.close(),
  };
}

function open(stateDir: string, path: string): DatabaseSync {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: 5000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    database.exec(SCHEMA);
    return database;
  } catch (cause) {
    throw simulatorErrors.error("SIM_STATE_UNUSABLE", `cannot open the sensors' memory: ${messageOf(cause)}`, {
      path,
      cause,
    });
  }
}

/** JSON in which bytes are an object with one member `hex`. */
function render(value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, name: string, member: unknown) {
    // A Buffer has a toJSON of its own, which has run by now.
    const bytes = this[name];
    return bytes instanceof Uint8Array ? { hex: Buffer.from(bytes).toString("hex") } : member;
  });
}

function parse(text: string): unknown {
  return JSON.parse(text, (_, member) => (typeof member?.hex === "string" ? Buffer.from(member.hex, "hex") : member));
}
