import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Makes the file of one key pass for another's, as whoever can write the folder can: the wrap alone tells the difference. */
export function forgeKeyFile(folder: string, from: string, to: string): void {
  const file = readFileSync(join(folder, `${from}.key`));
  const wrapped = file.subarray(file.indexOf("\n") + 1);
  const sum = createHash("sha256").update(`${to}\n`).update(wrapped).digest("hex");
  const header = Buffer.from(`trustkern-key/1 name=${to} sha256=${sum}\n`);
  writeFileSync(join(folder, `${to}.key`), Buffer.concat([header, wrapped]));
}
