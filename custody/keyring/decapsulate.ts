import { batchRoot } from "../audit/merkle.ts";
import type { KeyStore } from "../backends/key-store.ts";
import type { KemItem, KemResult } from "../kem.ts";
import type { KemUse } from "../kem-items.ts";
import type { BookPlace } from "./book.ts";
import { type Openers, openerName } from "./openers.ts";

/** One batch to open, and for whom. */
export interface KemRequest {
  /** Name of who asks, for the record. */
  readonly client: string;
  readonly use: KemUse;
  /** 1 to 1024. */
  readonly items: readonly KemItem[];
}

/** What {@link decapsulateRecorded} works with. */
export interface KemPlace extends Pick<BookPlace, "store" | "audit"> {
  /** Those of the moment. */
  readonly openers: () => Openers;
}

/** The items of a batch for one key. */
interface Share {
  readonly name: string;
  readonly keyId: string;
  readonly indexes: readonly number[];
}

/**
 * Opens a batch, one call of the store for each key id, records what became of it, and then answers. Secrets that are not
 * answered are zeroed.
 */
export async function decapsulateRecorded(
  { store, audit, openers }: KemPlace,
  { client, use, items }: KemRequest,
): Promise<readonly KemResult[]> {
  const results = new Array<KemResult>(items.length).fill("unknown-key");
  const mayOpen = ({ name }: Share): boolean => openers().get(name)?.opens[use] === true;
  const shares = sharesOf(items, openers()).filter(mayOpen);
  try {
    for (const share of shares) await openShare(store, items, share, results, mayOpen);
    // Whoever lost its key while others were opened: no record of its use comes after the record of its end.
    for (const share of shares) if (!mayOpen(share)) forget(results, share.indexes);
    const keys = shares.filter(mayOpen).map(({ keyId, indexes }) => ({ keyId, ...countOf(results, indexes) }));
    const used = keys.reduce((sum, { opened, failed }) => sum + opened + failed, 0);
    const detail = {
      client,
      use,
      keys,
      unknown: items.length - used,
      items: items.length,
      root: batchRoot(items, results),
    };
    await audit.append({ kind: "decapsulated", actor: client, detail });
    return results;
  } catch (thrown) {
    forget(results, results.keys());
    throw thrown;
  }
}

async function openShare(
  store: KeyStore,
  items: readonly KemItem[],
  share: Share,
  results: KemResult[],
  mayOpen: (share: Share) => boolean,
): Promise<void> {
  const encapsulated = share.indexes.map((index) => (items[index] as KemItem).encapsulatedKey);
  try {
    const secrets = await store.decapsulate(share.keyId, encapsulated);
    share.indexes.forEach((index, at) => {
      results[index] = secrets[at] ?? "decapsulation-failed";
    });
  } catch (thrown) {
    // A key that was destroyed meanwhile is unknown; one that the store lost is a fault.
    if (mayOpen(share)) throw thrown;
  }
}

function sharesOf(items: readonly KemItem[], openers: Openers): readonly Share[] {
  const indexesOf = new Map<string, number[]>();
  items.forEach(({ keyId }, index) => {
    const name = openerName(keyId);
    const indexes = indexesOf.get(name);
    if (indexes === undefined) indexesOf.set(name, [index]);
    else indexes.push(index);
  });
  return [...indexesOf].flatMap(([name, indexes]) => {
    const opener = openers.get(name);
    return opener ? [{ name, keyId: opener.keyId, indexes }] : [];
  });
}

function countOf(results: readonly KemResult[], indexes: readonly number[]): { opened: number; failed: number } {
  const opened = indexes.filter((index) => typeof results[index] !== "string").length;
  return { opened, failed: indexes.length - opened };
}

function forget(results: KemResult[], indexes: Iterable<number>): void {
  for (const index of indexes) {
    const result = results[index];
    if (result !== undefined && typeof result !== "string") result.fill(0);
    results[index] = "unknown-key";
  }
}
