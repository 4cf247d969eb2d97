/**
 * A process that records, told what to do by lines on its standard input. Prints one line of JSON for each order.
 * usage: node recorder.ts FOLDER SIGNER-PEM [LIMIT-MS]
 */
import { createPublicKey } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { loadPemSigner } from "../../../certs/signers/software.ts";
import { openAuditLog } from "../../../custody/audit/log.ts";
import { opened } from "../../../custody/audit/test-log.ts";
import { verifyAuditLog } from "../../../custody/audit/verify.ts";

const [folder = "", pemFile = "", limitMs] = process.argv.slice(2);
const signer = await loadPemSigner(readFileSync(pemFile, "utf8"), "memory");
const publicKey = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
const filler = join(folder, "filler");
const print = (line: object): unknown => writeSync(1, `${JSON.stringify(line)}\n`);
const log = await openAuditLog({
  folder,
  signer,
  clock: () => new Date(),
  limitMs: limitMs === undefined ? undefined : Number(limitMs),
  segmentBytes: 20_000,
});
let number = 0;

/** One record that no other process makes again, and what became of it. */
async function append(): Promise<object> {
  const entry = opened(process.pid * 2 ** 20 + number++);
  const started = performance.now();
  try {
    const record = await log.append(entry);
    return { seq: record.seq, root: "root" in record && record.root };
  } catch (thrown) {
    return { refused: (thrown as { code?: unknown }).code, ms: performance.now() - started };
  }
}

async function forever(): Promise<never> {
  for (;;) print(await append());
}

/** To the last byte. */
function fill(): void {
  for (let chunk = 4_096; chunk >= 1; chunk >>= 2) {
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(chunk));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOSPC") throw thrown;
    }
  }
}

const orders: Readonly<Record<string, () => Promise<object>>> = {
  append,
  appends: async () => ({ all: await Promise.all(Array.from({ length: 20 }, append)) }),
  run: () => Promise.race(Array.from({ length: 8 }, forever)),
  fill: async () => ({ filled: fill() === undefined }),
  free: async () => ({ freed: rmSync(filler) === undefined }),
  // Answers when the thread pool has a thread for it.
  breathe: async () => ({ folder: (await stat(folder)).isDirectory() }),
  end: async () => {
    await log.close();
    return verifyAuditLog({ folder, publicKey, patienceMs: 0 });
  },
};
print({ pid: process.pid });
for await (const order of createInterface({ input: process.stdin })) {
  orders[order]?.().then(print, (thrown: unknown) => print({ failed: String(thrown) }));
}
