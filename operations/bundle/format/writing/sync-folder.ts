import { open } from "node:fs/promises";

/** Makes names that were given in a folder durable. File systems that cannot sync a folder, such as exFAT's, are left to themselves. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}
