import { custodyErrors } from "../errors.ts";
import type { Book } from "./book.ts";

/** Runs changes one after the other. */
export interface ChangeQueue {
  /**
   * Settles what an earlier change left, does the work, and settles what it left itself.
   * @throws CUSTODY_KEYRING_CLOSED
   */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>;
  /** Waits for the changes that were asked for, and tries once more to settle. Nothing runs afterwards. */
  readonly close: () => Promise<void>;
  /** @throws CUSTODY_KEYRING_CLOSED */
  readonly assertOpen: () => void;
}

/** A queue for the changes of a book. */
export function changeQueue(book: Pick<Book, "settle" | "unsettled">): ChangeQueue {
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const settled = async (): Promise<void> => {
    if (book.unsettled) await book.settle();
  };
  const assertOpen = (): void => {
    if (closed) throw custodyErrors.error("CUSTODY_KEYRING_CLOSED", "the keyring is closed");
  };
  async function change<T>(work: () => Promise<T>): Promise<T> {
    await settled();
    let result: T;
    try {
      result = await work();
    } catch (thrown) {
      // What cannot be settled now is settled before the next change, or at the next opening.
      await settled().catch(() => undefined);
      throw thrown;
    }
    await settled();
    return result;
  }
  return {
    run: async (work) => {
      assertOpen();
      const done = last.then(() => change(work));
      last = done.catch(() => undefined);
      return done;
    },
    close: async () => {
      closed = true;
      await last;
      await settled().catch(() => undefined);
    },
    assertOpen,
  };
}
