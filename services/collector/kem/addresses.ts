import { lookup } from "node:dns/promises";
import { setTimeout as delay } from "node:timers/promises";

/** The IP addresses of a name now. Rejects where none can be found out. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** More than these are not asked. */
const MAX_ADDRESSES = 16;

/** How often a name is looked up, and how soon again after that failed. */
const EVERY_MS = 2000;
const SOON_MS = 250;

/** As the system finds addresses: hosts file, then DNS. */
export const systemResolve: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** What {@link followAddresses} needs. */
export interface FollowOptions {
  readonly host: string;
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
  /** Told the addresses of each answer, sorted, none twice. */
  readonly onAddresses: (addresses: readonly string[]) => void;
  /** Told of each answer that did not come. The addresses of before are not gone for that. */
  readonly onFailure: () => void;
}

/** Looks a name up until the signal aborts, and is done then. */
export async function followAddresses(options: FollowOptions): Promise<void> {
  const { host, resolve, signal, onAddresses, onFailure } = options;
  while (!signal.aborted) {
    const addresses = await resolve(host).catch(() => []);
    if (signal.aborted) return;
    if (addresses.length > 0) onAddresses([...new Set(addresses)].sort().slice(0, MAX_ADDRESSES));
    else onFailure();
    await delay(addresses.length > 0 ? EVERY_MS : SOON_MS, undefined, { signal }).catch(() => undefined);
  }
}
