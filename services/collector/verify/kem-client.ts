import { setTimeout as delay } from "node:timers/promises";
import type { KemItem, KemResult } from "../../../custody/kem.ts";
import { packItems, unpackResults } from "../../../custody/kem-items.ts";
import { Kem, Use } from "../../../custody/proto/custody_pb.ts";
import { grpcClient } from "../../../shared/grpc/client.ts";
import { createBackoff } from "../../runtime/backoff.ts";

/** How custody is, as seen from here. */
export type CustodyState = "ready" | "sealed" | "away";

/** Has KEM ciphertexts opened by the custody broker. */
export interface KemClient {
  /** One result for each item, in order. Waits as long as custody is sealed, away or busy; opening twice does no harm. */
  readonly open: (items: readonly KemItem[]) => Promise<readonly KemResult[]>;
  readonly close: () => void;
}

/** What {@link createKemClient} needs. */
export interface KemClientOptions {
  readonly socketPath: string;
  /** Told whenever the state changes. */
  readonly onState: (state: CustodyState) => void;
}

/** Longer than the broker waits for custody: whoever knows more answers. */
const LIMIT_MS = 5000;

/** How often custody is asked how it is; a batch finds out at once. */
const LOOK_MS = 500;

/** A client that looks at once how custody is, and goes on looking; what was not answered is asked again. */
export function createKemClient({ socketPath, onState }: KemClientOptions): KemClient {
  const client = grpcClient(Kem, { address: `unix:${socketPath}` });
  const closed = new AbortController();
  let state: CustodyState | undefined;

  function setState(next: CustodyState): void {
    if (next === state || closed.signal.aborted) return;
    state = next;
    onState(next);
  }

  async function watch(): Promise<void> {
    while (!closed.signal.aborted) {
      await client.call("health", {}, LIMIT_MS).then(
        ({ sealed }) => setState(sealed ? "sealed" : "ready"),
        () => setState("away"),
      );
      await delay(state === "ready" ? LOOK_MS : LOOK_MS / 5, undefined, { signal: closed.signal });
    }
  }

  async function openBatch(items: readonly KemItem[]): Promise<readonly KemResult[]> {
    const backoff = createBackoff({ minMs: 20, maxMs: 500 });
    const request = { use: Use.LIVE, items: packItems(items) };
    for (;;) {
      try {
        const { results } = await client.call("decapsulateBatch", request, LIMIT_MS);
        const opened = unpackResults(results, items.length);
        setState("ready");
        return opened;
      } catch (thrown) {
        setState(stateAfter(thrown));
        await delay(backoff.next(), undefined, { signal: closed.signal });
      }
    }
  }

  // It ends when the client is closed, and with nothing else.
  watch().catch(() => undefined);
  return {
    open: (items) => (items.length === 0 ? Promise.resolve([]) : untilClosed(openBatch(items))),
    close: () => {
      closed.abort();
      client.close();
    },
  };

  /** What waits when the client is closed has no answer, and no failure either. */
  function untilClosed<T>(opening: Promise<T>): Promise<T> {
    return opening.catch((thrown: unknown) => {
      if (closed.signal.aborted) return new Promise<T>(() => undefined);
      throw thrown;
    });
  }
}

/** Busy is ready. Whoever answers with something else than custody does is not custody as we know it. */
function stateAfter(thrown: unknown): CustodyState {
  const { code } = thrown as { readonly code?: unknown };
  if (code === "CUSTODY_SEALED") return "sealed";
  return code === "CUSTODY_KEM_RATE" ? "ready" : "away";
}
