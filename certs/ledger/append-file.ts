import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { certsErrors } from "../errors.ts";

/** A text file that only grows, and whose every addition is on the disk before it counts. */
export interface AppendFile {
  readonly text: () => string;
  /**
   * Adds text, and takes it away again when it cannot be confirmed.
   * @param confirm what makes the addition count
   * @throws LEDGER_CORRUPT when the file is not as this process left it
   */
  readonly append: (text: string, confirm: () => void) => void;
  /** Makes this prefix of the file the whole. */
  readonly cut: (text: string) => void;
  readonly close: () => void;
}

/**
 * Opens a file, or makes an empty one that only its owner may read. Node's permission model forbids fsync, so there the file is
 * opened with O_SYNC alone, which confirms what is written (and not, at once, that a torn addition was cut off: the next opening
 * cuts it again).
 */
export function openAppendFile(file: string): AppendFile {
  const { O_RDWR, O_CREAT, O_APPEND, O_SYNC } = constants;
  const descriptor = openSync(file, O_RDWR | O_CREAT | O_APPEND | O_SYNC, 0o600);
  const mayConfirm = process.permission === undefined;
  const confirmWritten = (): void => (mayConfirm ? fsyncSync(descriptor) : undefined);
  if (mayConfirm) syncFolder(dirname(file));
  let text = readFileSync(file, "utf8");
  let size = fstatSync(descriptor).size;

  const truncate = (bytes: number): void => {
    ftruncateSync(descriptor, bytes);
    confirmWritten();
  };
  const writeAll = (bytes: Buffer): void => {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    confirmWritten();
  };
  return {
    text: () => text,
    append: (addition, confirm) => {
      if (fstatSync(descriptor).size !== size) {
        const message = `"${file}" is not as this process left it; one process at a time may write it`;
        throw certsErrors.error("LEDGER_CORRUPT", message, { path: "ledger" });
      }
      const bytes = Buffer.from(addition);
      try {
        writeAll(bytes);
        confirm();
      } catch (thrown) {
        truncate(size);
        throw thrown;
      }
      text += addition;
      size += bytes.length;
    },
    cut: (prefix) => {
      truncate(Buffer.byteLength(prefix));
      text = prefix;
      size = Buffer.byteLength(prefix);
    },
    close: () => closeSync(descriptor),
  };
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
