import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { TrustKernError } from "../../../shared/errors.ts";
import type { Trust } from "../broker/trust.ts";
import { gatewayErrors } from "../errors.ts";
import type { BackendClient } from "./backend-client.ts";
import type { Configuration } from "./configuration.ts";

/** Keeps allowlist and configuration as new as the backend has them, beside what the broker brings. */
export interface Sync {
  /** Fetches now, unless that was a moment ago; while a fetch runs, one more follows it. */
  readonly refresh: () => void;
  readonly stop: () => void;
}

/** What {@link createSync} is handed. */
export interface SyncOptions {
  readonly client: Pick<BackendClient, "call">;
  readonly trust: Pick<Trust, "take">;
  readonly configuration: Configuration;
  /** SHA-256 of the trust anchors and of the broker's pins that count here now, lower-case hex. */
  readonly inForce: () => { readonly anchors: readonly string[]; readonly pins: readonly string[] };
  /** Told when a configuration was taken that says something new. */
  readonly onConfiguration: () => void;
  /** Milliseconds between two fetches. */
  readonly intervalMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told of each document that could not be fetched or is refused, and not of waiting for leave to ask. */
  readonly onFailure: (document: "allowlist" | "configuration", thrown: unknown) => void;
}

const MIN_GAP_MS = 10_000;
const ALLOWLIST = "/v1/gateway/allowlist";
const envelope = z.object({ dsse: z.string().max(1 << 20) });

/** Fetches at the first {@link Sync.refresh} and then every interval; soon where there was no leave to ask, such as no token yet. */
export function createSync(options: SyncOptions): Sync {
  let stopped = false;
  let running = false;
  let again = false;
  /** There is nothing to ask with yet, or not now; whoever paused has told why. */
  let paused = false;
  let lastMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function schedule(delayMs: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, delayMs);
  }

  async function run(): Promise<void> {
    running = true;
    [again, paused] = [false, false];
    lastMs = options.now();
    for (const [document, fetch] of [
      ["allowlist", fetchAllowlist],
      ["configuration", fetchConfiguration],
    ] as const) {
      await fetch(options).catch((thrown: unknown) => {
        if (thrown instanceof TrustKernError && thrown.code === "GATEWAY_BACKEND_PAUSED") paused = true;
        else if (!stopped) options.onFailure(document, thrown);
      });
    }
    running = false;
    schedule(again || paused ? MIN_GAP_MS : options.intervalMs);
  }

  return {
    refresh: () => {
      if (running) again = true;
      else schedule(Math.max(0, lastMs + MIN_GAP_MS - options.now()));
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function fetchAllowlist({ client, trust }: SyncOptions): Promise<void> {
  trust.take(JSON.stringify(await client.call({ method: "GET", path: ALLOWLIST })));
}

/** The backend learns with each fetch what is in force here: a rotation waits for that. */
async function fetchConfiguration({ client, configuration, inForce, onConfiguration }: SyncOptions): Promise<void> {
  const held = (): number => configuration.held()?.version ?? 0;
  const fetch = () => {
    const { anchors, pins } = inForce();
    return client.call({ method: "GET", path: `/v1/gateway/configuration?anchors=${anchors}&pins=${pins}` });
  };
  const answer = await fetch().catch((thrown: unknown) => {
    // Nobody has said yet what gateways are to trust: the configured files say it.
    if (thrown instanceof TrustKernError && thrown.path === "TRUST_NONE") return null;
    throw thrown;
  });
  if (answer === null) return;
  const parsed = envelope.safeParse(answer);
  if (!parsed.success) throw gatewayErrors.error("GATEWAY_BACKEND_ANSWER", "the configuration is not an envelope");
  const before = held();
  const { anchors } = configuration.check(parsed.data.dsse);
  // Anchors under which the backend itself would not be found could never be replaced by its next word.
  if (anchors.length > 0 && !isDeepStrictEqual(anchors, configuration.held()?.anchors)) {
    await client.call({ method: "GET", path: ALLOWLIST, anchors });
  }
  configuration.take(parsed.data.dsse);
  if (held() === before) return;
  onConfiguration();
  await fetch();
}
