import { describe, expect, it } from "vitest";
import type { Generation } from "../generation.ts";
import { Book } from "./book.ts";
import { found, generate } from "./changes.ts";
import { digestOf } from "./state.ts";
import { memoryLog, memoryStore } from "./test-memory.ts";

const clock = () => new Date("2026-01-01T00:00:00Z");

/** A founded book whose file takes a state and then says that it did not, as a folder that cannot be synced does. */
async function lyingBook() {
  const [store, audit] = [await memoryStore(), memoryLog()];
  let [text, lies] = [null as string | null, false];
  const file = {
    path: "generations.json",
    read: async () => text,
    write: async (written: string) => {
      text = written;
      if (lies) throw new Error("not synced");
    },
  };
  const book = new Book({ store, audit, file }, null, []);
  await found({ book, store, clock }, "acme", "custody");
  const place = { book, store, clock };
  const lie = (value: boolean) => {
    lies = value;
  };
  return { place, audit, lie, text: () => text };
}

describe("a book whose file took a state and said that it did not", () => {
  it("puts the state back before it withdraws the change", async () => {
    const { place, audit, lie, text } = await lyingBook();
    const { book, store } = place;
    const before = text();
    lie(true);
    await expect(generate(place, "op", { state: "next" })).rejects.toThrow("not synced");
    expect([book.unsettled, text() === before]).toEqual([true, false]);
    await expect(book.settle()).rejects.toThrow("not synced");
    lie(false);
    await book.settle();
    expect([book.unsettled, text(), store.keys.size]).toEqual([false, before, 2]);
    expect(audit.records.at(-1)).toMatchObject({ change: "withdrawn", state: digestOf(before) });
  });

  it("shows and opens what was there, all the time", async () => {
    const { place, lie } = await lyingBook();
    const [{ state, openers }, shown] = [place.book, (generations: readonly Generation[] = []) => generations.length];
    lie(true);
    await generate(place, "op", { state: "active" }).catch(() => undefined);
    expect([place.book.state, place.book.openers, shown(place.book.state?.generations)]).toEqual([state, openers, 1]);
  });
});
