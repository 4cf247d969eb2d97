import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** `sha256:…` of a file, read a piece at a time. @throws what the file system throws */
export async function digestOfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}
