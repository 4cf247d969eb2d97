import { constants } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { isMissing, writeAll } from "./files.ts";

/** Name of the file in the log's folder. */
export const HEAD_FILE = "audit.head";

const SLOT_BYTES = 2048;
const BLANK = `${" ".repeat(SLOT_BYTES - 1)}\n`;
const FILLED = /^[\w.-]+ *\n$/;

/** One of the two places of a head. */
export type SlotIndex = 0 | 1;

/** What is in a slot: the text of a head, nothing, or something that was torn or changed. */
export type Slot = { readonly state: "blank" | "damaged" } | { readonly state: "filled"; readonly text: string };

/**
 * Two slots of a fixed size that are written in turn, each synchronously down to the disk: whatever dies while one is written,
 * the other is whole.
 */
export interface HeadFile {
  readonly write: (slot: SlotIndex, text: string) => Promise<void>;
  readonly blank: (slot: SlotIndex) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the file, or makes it with blank slots.
 * @throws what the file system throws
 */
export async function openHeadFile(file: string): Promise<HeadFile> {
  const { O_RDWR, O_CREAT, O_DSYNC } = constants;
  const handle: FileHandle = await open(file, O_RDWR | O_CREAT | O_DSYNC, 0o600);
  const put = (slot: SlotIndex, text: string) => writeAll(handle, Buffer.from(text), slot * SLOT_BYTES);
  try {
    if ((await handle.stat()).size === 0) await writeAll(handle, Buffer.from(BLANK + BLANK), 0);
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
  return {
    write: async (slot, text) => {
      if (text.length >= SLOT_BYTES)
        throw new RangeError(`a head of ${text.length} bytes, accepted: ${SLOT_BYTES - 1}`);
      await put(slot, `${text.padEnd(SLOT_BYTES - 1)}\n`);
    },
    blank: (slot) => put(slot, BLANK),
    close: () => handle.close(),
  };
}

/**
 * Both slots; blank ones where there is no file, or an empty one.
 * @throws what the file system throws
 */
export async function readSlots(file: string): Promise<readonly [Slot, Slot]> {
  const bytes = await readFile(file).catch((thrown: unknown) => {
    if (isMissing(thrown)) return Buffer.alloc(0);
    throw thrown;
  });
  if (bytes.length === 0) return [{ state: "blank" }, { state: "blank" }];
  const text = bytes.toString("latin1");
  const second = slotOf(text.slice(SLOT_BYTES, 2 * SLOT_BYTES));
  return [slotOf(text.slice(0, SLOT_BYTES)), bytes.length > 2 * SLOT_BYTES ? { state: "damaged" } : second];
}

function slotOf(text: string): Slot {
  if (text === BLANK) return { state: "blank" };
  if (text.length !== SLOT_BYTES || !FILLED.test(text)) return { state: "damaged" };
  return { state: "filled", text: text.trimEnd() };
}
