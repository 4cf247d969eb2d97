import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { auditErrors } from "./errors.ts";
import { syncFolder, writeAll } from "./files.ts";
import { HEAD_FILE, openHeadFile, type SlotIndex } from "./head-file.ts";
import { segmentName } from "./segments.ts";

/** What is confirmed: how far the last segment counts, and which slot says so. */
export interface DiskPlace {
  readonly folder: string;
  /** File name of the last segment. */
  readonly segment: string;
  /** Bytes of it. */
  readonly length: number;
  /** Slot of the confirmed head; the other is written next. */
  readonly slot: SlotIndex;
  /** A segment that is as long or longer is followed by a new one. */
  readonly segmentBytes: number;
}

/** Records to write, and the head that makes them count. */
export interface Commit {
  readonly lines: Buffer;
  /** Number of the first of them. */
  readonly first: number;
  /** Makes the head, once it is known in which segment they are. */
  readonly head: (segment: string) => Promise<string>;
  /** False once nobody waits for it. Then it is undone. */
  readonly wanted: () => boolean;
}

/** The files of a log. One call at a time, each awaited before the next. */
export interface AuditDisk {
  /**
   * Writes records and then their head, both down to the disk, or takes back what it wrote: at once, and if that fails, before
   * anything else is written.
   * @throws what the file system throws; CUSTODY_AUDIT_CORRUPT when somebody else wrote to the log
   */
  readonly commit: (commit: Commit) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the files, or makes them. Every write goes through O_DSYNC: Node's permission model, under which the embedded engine
 * runs services, forbids fsync and fdatasync.
 * @throws what the file system throws
 */
export async function openAuditDisk({ folder, segment, segmentBytes, ...from }: DiskPlace): Promise<AuditDisk> {
  let { length, slot } = from;
  let name = segment;
  const heads = await openHeadFile(join(folder, HEAD_FILE));
  let handle = await openSegment(join(folder, name));
  await syncFolder(folder);
  let touched: "nothing" | "segment" | "segment and slot" = "nothing";

  const undo = async (): Promise<void> => {
    // The slot first: a head without its records would be a log that was cut.
    if (touched === "segment and slot") await heads.blank(other(slot));
    touched = "segment";
    await handle.truncate(length);
    touched = "nothing";
  };
  const roll = async (first: number): Promise<void> => {
    const next = segmentName(first);
    const fresh = await openSegment(join(folder, next));
    const old = handle;
    [handle, name, length] = [fresh, next, 0];
    await old.close();
    await syncFolder(folder);
  };
  const assertOurs = async (): Promise<void> => {
    const { size, nlink } = await handle.stat();
    if (size === length && nlink > 0) return;
    const message = `"${name}" is not as this process left it; one process at a time may write it, and none may remove it`;
    throw auditErrors.error("CUSTODY_AUDIT_CORRUPT", message, { path: name });
  };
  return {
    commit: async ({ lines, first, head, wanted }) => {
      if (touched !== "nothing") await undo();
      if (length >= segmentBytes) await roll(first);
      await assertOurs();
      try {
        touched = "segment";
        await writeAll(handle, lines, length);
        assertWanted(wanted);
        const text = await head(name);
        touched = "segment and slot";
        await heads.write(other(slot), text);
        assertWanted(wanted);
      } catch (thrown) {
        await undo().catch(() => undefined);
        throw thrown;
      }
      touched = "nothing";
      length += lines.length;
      slot = other(slot);
    },
    close: async () => {
      await Promise.all([handle.close(), heads.close()]);
    },
  };
}

function openSegment(file: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_DSYNC } = constants;
  return open(file, O_RDWR | O_CREAT | O_DSYNC, 0o600);
}

function other(slot: SlotIndex): SlotIndex {
  return slot === 0 ? 1 : 0;
}

function assertWanted(wanted: () => boolean): void {
  if (!wanted()) throw new Error("the disk took too long");
}
