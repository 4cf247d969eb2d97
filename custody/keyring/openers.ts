import { viewOf } from "../../protocol/hex.ts";
import { type Generation, opensFor } from "../generation.ts";
import type { KemUse } from "../kem-items.ts";

/** A generation that opens something. */
export interface Opener {
  readonly keyId: string;
  readonly opens: Readonly<Record<KemUse, boolean>>;
}

/** Openers by the 8 raw bytes of their key id, as {@link openerName} spells them: looked up once for each message. */
export type Openers = ReadonlyMap<string, Opener>;

/** What opens, of some generations. */
export function openersOf(generations: readonly Generation[]): Openers {
  return new Map(
    generations.map((generation) => [
      openerName(Buffer.from(generation.keyId, "hex")),
      {
        keyId: generation.keyId,
        opens: { live: opensFor(generation, "live"), stored: opensFor(generation, "stored") },
      },
    ]),
  );
}

/** Raw bytes of a key id as a string with one character for each: cheaper than hexadecimal. */
export function openerName(keyId: Uint8Array): string {
  return viewOf(keyId).toString("latin1");
}
