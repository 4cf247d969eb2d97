import { type FileHandle, open } from "node:fs/promises";

/** Writes all of it at a place, however many calls that takes. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Whether what was thrown says that there is no such file. */
export function isMissing(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException | null)?.code === "ENOENT";
}

/** Confirms what is in a folder. Node's permission model forbids fsync, and leaves that to the file system. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.permission !== undefined) return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
