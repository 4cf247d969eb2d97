import { setTimeout as delay } from "node:timers/promises";
import type { KemItem, KemResult } from "../../../custody/kem.ts";
import { packItems } from "../../../custody/kem-items.ts";
import { createBackoff } from "../../runtime/backoff.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import type { CustodyAccess } from "./access.ts";
import { type Resolve, systemResolve } from "./addresses.ts";
import type { CustodyState, KemReplica } from "./replica.ts";
import { createKemReplicas } from "./replicas.ts";

/** Has KEM ciphertexts opened by custody's brokers. */
export interface KemClient {
  /** One result for each item, in order. Waits as long as custody is sealed, away or busy; opening twice does no harm. */
  readonly open: (items: readonly KemItem[]) => Promise<readonly KemResult[]>;
  /** The certificates of {@link KemClientOptions.custody} were renewed. */
  readonly useTls: (tls: Tls13Options) => void;
  readonly close: () => void;
}

/** What {@link createKemClient} needs. */
export interface KemClientOptions {
  readonly custody: CustodyAccess;
  /** Told whenever the state changes: it is as good as that of the best broker. */
  readonly onState: (state: CustodyState) => void;
  /** Told why a broker is not trusted, or does not trust us. @default nobody is told */
  readonly onProblem?: (problem: string) => void;
  /** @default the system's */
  readonly resolve?: Resolve;
}

/** A client that looks at once how custody is, and goes on looking; what was not answered is asked again, of another one first. */
export function createKemClient(options: KemClientOptions): KemClient {
  const { custody, onState, onProblem = () => undefined, resolve = systemResolve } = options;
  const closed = new AbortController();
  let state: CustodyState | undefined;
  const replicas = createKemReplicas({ access: custody, resolve, onState: tell, onProblem });

  function tell(): void {
    const next = replicas.state();
    if (next === undefined || next === state || closed.signal.aborted) return;
    state = next;
    onState(next);
  }

  async function openBatch(items: readonly KemItem[]): Promise<readonly KemResult[]> {
    const backoff = createBackoff({ minMs: 20, maxMs: 500 });
    const packed = packItems(items);
    const tried = new Set<KemReplica>();
    for (;;) {
      const replica = replicas.pick(tried);
      // Whoever is not ready is asked first alone, and not because another one has failed just now.
      if (replica && (tried.size === 0 || replica.state() === "ready")) {
        try {
          return await askOthers(items, await replica.open(packed, items.length), replica);
        } catch {
          tried.add(replica);
        }
      } else {
        await delay(backoff.next(), undefined, { signal: closed.signal });
        tried.clear();
      }
    }
  }

  /** A follower hears of a new generation a little later: a key is unknown once no broker that is ready knows it. */
  async function askOthers(
    items: readonly KemItem[],
    results: readonly KemResult[],
    asked: KemReplica,
  ): Promise<readonly KemResult[]> {
    const tried = new Set([asked]);
    const known = [...results];
    for (;;) {
      const unknown = known.flatMap((result, index) => (result === "unknown-key" ? [index] : []));
      const other = unknown.length === 0 ? undefined : replicas.pick(tried);
      if (other?.state() !== "ready") return known;
      tried.add(other);
      const again = items.filter((_, index) => unknown.includes(index));
      const answers: readonly KemResult[] = await other.open(packItems(again), again.length).catch(() => []);
      for (const [at, index] of unknown.entries()) known[index] = answers[at] ?? "unknown-key";
    }
  }

  return {
    open: (items) => (items.length === 0 ? Promise.resolve([]) : untilClosed(openBatch(items))),
    useTls: replicas.useTls,
    close: () => {
      closed.abort();
      replicas.close();
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
