import { TrustKernError } from "../../shared/errors.ts";
import type { Engine, TextRow } from "./engine.ts";
import type { Identity } from "./engine-identity.ts";
import { createLane, type Lane, type LaneOptions, type Request } from "./lane.ts";
import { SETTINGS_QUERY } from "./session-state.ts";
import { copyInResponse } from "./wire-answers.ts";
import { type Frame, frame, typeOf } from "./wire-frames.ts";

/** What {@link createMultiplexer} works with. */
export interface MultiplexerOptions {
  readonly engine: Pick<Engine, "exchange" | "query">;
  readonly identity: Pick<Identity, "become">;
  readonly transactionIdleSeconds: number;
  readonly maxCopyBytes: number;
  /** The engine is dead; the process has to end. */
  readonly onDeath: (thrown: unknown) => void;
}

/** A client that is let in. */
export interface AttachedClient {
  readonly push: (frames: readonly Frame[]) => void;
  /** Bytes that wait for their turn. */
  readonly pendingBytes: () => number;
  /** Rolls back what the client left open. */
  readonly leave: () => void;
}

/** Shares the one session of the engine among many clients. */
export interface Multiplexer {
  readonly attach: (client: Omit<LaneOptions, "maxCopyBytes">) => AttachedClient;
  /** Runs statements of our own as `role`, between the turns of the clients. @throws Error with Postgres' message */
  readonly run: (role: string, sql: string) => Promise<TextRow[]>;
}

const DISCARD = frame("Q", "DISCARD ALL\0");
const SYNC = frame("S");
const ROLL_BACK = [SYNC, frame("Q", "ROLLBACK\0")];
const IDLE = "I".charCodeAt(0);

/**
 * A client has the session from its first message until the engine says that it is idle, outside a transaction. When another client
 * has it next, all that the first one set, prepared or opened is discarded, and put back at its next turn (ADR 0005).
 */
export function createMultiplexer(options: MultiplexerOptions): Multiplexer {
  const { engine, identity, maxCopyBytes, transactionIdleSeconds, onDeath } = options;
  const waiting = new Set<Lane>();
  const gone = new WeakSet<Lane>();
  const tasks: (() => Promise<void>)[] = [];
  /** Whose settings the session has. */
  let owner: Lane | undefined;
  /** Who is in the middle of something. */
  let current: Lane | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  let pumping = false;

  const reset = async (): Promise<void> => {
    if (owner && !gone.has(owner) && owner.state.changedSettings())
      owner.state.keepSettings(await engine.query(SETTINGS_QUERY).catch(unlessDead));
    owner = undefined;
    await engine.exchange([DISCARD]);
  };
  const give = async (lane: Lane): Promise<void> => {
    if (owner === lane) return;
    await reset();
    identity.become(lane.role);
    const settings = lane.state.restore();
    if (settings.length > 0) await engine.exchange(settings);
    owner = lane;
  };
  const execute = async (lane: Lane, request: Request): Promise<void> => {
    const repeated = lane.state.observe(request.messages);
    if (repeated.length > 0) await engine.exchange(current ? repeated : [...repeated, SYNC]);
    const answer = await engine.exchange(request.copy?.messages() ?? request.messages);
    current = request.complete && answer.at(-1) === IDLE ? undefined : lane;
    lane.answer(request.copy ? withoutCopyInResponse(answer) : answer);
  };
  const serve = async (lane: Lane): Promise<void> => {
    waiting.delete(lane);
    stopTimer();
    const request = lane.take();
    if (request) {
      await give(lane);
      await execute(lane, request);
    }
    const copy = lane.copyToAnnounce();
    if (copy) lane.answer(copyInResponse(copy.binary));
    // Behind the others, so that nobody's pipeline keeps them waiting.
    if (lane.hasRequest()) waiting.add(lane);
  };
  const nextWork = (): (() => Promise<void>) | undefined => {
    if (current && gone.has(current)) return rollBack;
    const task = current ? undefined : tasks.shift();
    if (task) return task;
    const [first] = waiting;
    const lane = current ?? first;
    return lane && waiting.has(lane) ? () => serve(lane) : undefined;
  };
  const rollBack = async (): Promise<void> => {
    current = undefined;
    stopTimer();
    await engine.exchange(ROLL_BACK);
  };
  const pump = async (): Promise<void> => {
    if (pumping) return;
    pumping = true;
    try {
      // No await between the last look for work and the end: what is pushed meanwhile would wait for the next push.
      for (let work = nextWork(); work; work = nextWork()) await work();
    } catch (thrown) {
      onDeath(thrown);
      return;
    }
    pumping = false;
    if (current) idleTimer ??= setTimeout(expelCurrent, transactionIdleSeconds * 1000);
  };
  const stopTimer = (): void => {
    clearTimeout(idleTimer);
    idleTimer = undefined;
  };
  const leave = (lane: Lane): void => {
    gone.add(lane);
    waiting.delete(lane);
    lane.clear();
    void pump();
  };
  const expelCurrent = (): void => {
    if (!current) return;
    current.expel("25P03", `terminating connection: its transaction was idle for ${transactionIdleSeconds} s`);
    leave(current);
  };
  return {
    attach: (client) => {
      const lane = createLane({ ...client, maxCopyBytes });
      return {
        push: (frames) => {
          if (gone.has(lane)) return;
          lane.push(frames);
          waiting.add(lane);
          void pump();
        },
        pendingBytes: lane.pendingBytes,
        leave: () => leave(lane),
      };
    },
    run: (role, sql) =>
      new Promise((resolve, reject) => {
        tasks.push(async () => {
          await reset();
          identity.become(role);
          await engine.query(sql).then(resolve, (thrown: unknown) => {
            reject(thrown);
            unlessDead(thrown);
          });
        });
        void pump();
      }),
  };
}

/** An error of Postgres' own is the statement's; any other is the engine's end. */
function unlessDead(thrown: unknown): TextRow[] {
  if (thrown instanceof TrustKernError) throw thrown;
  return [];
}

/** The client has its CopyInResponse already. Only notices come before it. */
function withoutCopyInResponse(answer: Buffer): Buffer {
  let start = 0;
  while (typeOf(answer.subarray(start)) === "N") start += answer.readUInt32BE(start + 1) + 1;
  if (typeOf(answer.subarray(start)) !== "G") return answer;
  const end = start + answer.readUInt32BE(start + 1) + 1;
  return Buffer.concat([answer.subarray(0, start), answer.subarray(end)]);
}
