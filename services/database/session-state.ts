import { type Frame, frame, readText, typeOf } from "./wire-frames.ts";

/** What has to be put back when a client gets the session again after another one had it. */
export interface SessionState {
  /** Looks at messages on their way to the engine; gives the Parse messages that have to be repeated before them. */
  readonly observe: (frames: readonly Frame[]) => Frame[];
  /** True once the client may have changed settings, so that they are worth asking for. */
  readonly changedSettings: () => boolean;
  /** Keeps the settings that {@link SETTINGS_QUERY} gave at the end of the client's turn. */
  readonly keepSettings: (rows: readonly (readonly (string | null)[])[]) => void;
  /** Query messages that set the client's settings on a session that was reset. */
  readonly restore: () => Frame[];
}

/** Settings that the client made; those of the server have another source. */
export const SETTINGS_QUERY =
  "SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session' " +
  "UNION ALL SELECT 'role', current_setting('role') WHERE current_setting('role') <> 'none'";

/** After that many prepared statements the oldest is forgotten. */
const MAX_STATEMENTS = 500;
/** A statement that changes settings begins with one of these; a wrong guess costs a query, or the client its settings. */
const CHANGES_SETTINGS = /(?:^|[;\n])\s*(?:SET|RESET|DISCARD)\b|set_config\s*\(/i;
const SEARCHED_CHARACTERS = 65_536;

/** The state of one client, which begins with the settings of its startup packet. */
export function createSessionState(startSettings: ReadonlyMap<string, string>): SessionState {
  const statements = new Map<string, Frame>();
  let live = new Set<string>();
  let settings = new Map(startSettings);
  let changed = false;

  const define = (name: string, parse: Frame): void => {
    statements.delete(name);
    statements.set(name, parse);
    live.add(name);
    const [oldest] = statements.keys();
    if (statements.size > MAX_STATEMENTS && oldest !== undefined) statements.delete(oldest);
  };
  const recall = (name: string): Frame[] => {
    const parse = live.has(name) ? undefined : statements.get(name);
    if (!parse) return [];
    live.add(name);
    return [parse];
  };
  const observeOne = (message: Frame): Frame[] => {
    const type = typeOf(message);
    const body = message.subarray(5);
    if (type === "Q" || type === "P")
      changed ||= CHANGES_SETTINGS.test(body.toString("latin1", 0, SEARCHED_CHARACTERS));
    if (type === "P") define(readText(body, 0), Buffer.from(message));
    if (type === "B") return recall(readText(body, body.indexOf(0) + 1));
    if (type === "D" && body[0] === STATEMENT) return recall(readText(body, 1));
    if (type === "C" && body[0] === STATEMENT) statements.delete(readText(body, 1));
    return [];
  };
  return {
    observe: (frames) => frames.flatMap(observeOne),
    changedSettings: () => changed,
    keepSettings: (rows) => {
      settings = new Map(rows.map(([name, value]) => [name ?? "", value ?? ""]));
    },
    restore: () => {
      live = new Set();
      return [...settings].map(([name, value]) =>
        frame("Q", `SELECT pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)\0`),
      );
    },
  };
}

const STATEMENT = "S".charCodeAt(0);

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
