import { setTimeout as delay } from "node:timers/promises";
import type { KemResult } from "../../../custody/kem.ts";
import { unpackResults } from "../../../custody/kem-items.ts";
import { type Kem, Use } from "../../../custody/proto/custody_pb.ts";
import type { GrpcClient } from "../../../shared/grpc/client.ts";
import type { MethodsOf } from "../../../shared/grpc/definition.ts";
import type { HandshakeProblem } from "../../runtime/grpc/handshake.ts";

/** How custody is, as seen from here. */
export type CustodyState = "ready" | "sealed" | "away";

/** A connection to one custody broker. */
export type KemConnection = GrpcClient<MethodsOf<typeof Kem>>;

/** One custody broker, which is looked at all the time. */
export interface KemReplica {
  /** Undefined until it has answered, or not answered, for the first time. */
  readonly state: () => CustodyState | undefined;
  /** Batches that it was asked to open and has not answered. */
  readonly underWay: () => number;
  /** Asks once. Rejects with why nothing was opened, after which {@link state} says what it is now. */
  readonly open: (items: Uint8Array, count: number) => Promise<readonly KemResult[]>;
  /** Has the next question asked on another connection; what is under way ends on the one before. */
  readonly reconnect: () => void;
  readonly close: () => void;
}

/** What {@link createKemReplica} needs. */
export interface KemReplicaOptions {
  /** Makes a connection, with the certificates of then. */
  readonly connect: () => KemConnection;
  /** Told whenever its state changes. */
  readonly onState: () => void;
  /** Whether another connection may lead to another broker, one that is not sealed. */
  readonly mayLeadElsewhere: () => boolean;
  /** Finds out why it does not answer. @default nothing is found out */
  readonly diagnose?: (() => Promise<HandshakeProblem>) | undefined;
  /** told what `diagnose` found, once as long as it is the same. */
  readonly onProblem?: ((problem: string) => void) | undefined;
}

/** Longer than the broker waits for custody: whoever knows more answers. */
const LIMIT_MS = 5000;

/** How often custody is asked how it is; a batch finds out at once. */
const LOOK_MS = 500;
const SOON_MS = 100;

/** Looks in vain between two handshakes that find out why. */
const DIAGNOSE_EVERY = 50;

/** Looks at a custody broker from now on. */
export function createKemReplica(options: KemReplicaOptions): KemReplica {
  const closed = new AbortController();
  let connection = options.connect();
  let state: CustodyState | undefined;
  let underWay = 0;
  let inVain = 0;
  let told: HandshakeProblem = null;

  function setState(next: CustodyState): void {
    if (next === state || closed.signal.aborted) return;
    state = next;
    options.onState();
  }

  function reconnect(): void {
    const before = connection;
    connection = options.connect();
    before.close();
  }

  async function diagnose(): Promise<void> {
    const problem = (await options.diagnose?.()) ?? null;
    if (problem !== null && problem !== told && !closed.signal.aborted) options.onProblem?.(problem);
    told = problem;
  }

  async function look(): Promise<void> {
    try {
      const { sealed } = await connection.call("health", {}, LIMIT_MS);
      setState(sealed ? "sealed" : "ready");
      inVain = 0;
      told = null;
    } catch {
      setState("away");
      if (inVain++ % DIAGNOSE_EVERY === 0) void diagnose();
    }
    const stuck = state === "sealed" && options.mayLeadElsewhere();
    if (stuck && !closed.signal.aborted) reconnect();
    await delay(state === "ready" || stuck ? LOOK_MS : SOON_MS, undefined, { signal: closed.signal });
  }

  async function watch(): Promise<void> {
    while (!closed.signal.aborted) await look();
  }

  // It ends when the replica is closed, and with nothing else.
  watch().catch(() => undefined);
  return {
    state: () => state,
    underWay: () => underWay,
    open: async (items, count) => {
      underWay += 1;
      try {
        const { results } = await connection.call("decapsulateBatch", { use: Use.LIVE, items }, LIMIT_MS);
        const opened = unpackResults(results, count);
        setState("ready");
        return opened;
      } catch (thrown) {
        setState(stateAfter(thrown));
        throw thrown;
      } finally {
        underWay -= 1;
      }
    },
    reconnect,
    close: () => {
      closed.abort();
      connection.close();
    },
  };
}

/** Busy is ready. Whoever answers with something else than custody does is not custody as we know it. */
function stateAfter(thrown: unknown): CustodyState {
  const { code } = thrown as { readonly code?: unknown };
  if (code === "CUSTODY_SEALED") return "sealed";
  return code === "CUSTODY_KEM_RATE" ? "ready" : "away";
}
