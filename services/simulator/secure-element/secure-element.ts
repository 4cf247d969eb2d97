import type { Signer } from "../../../protocol/signature.ts";

/** Everything that a secure element can be asked. */
export const SECURE_ELEMENT_COMMANDS = ["info", "serial", "public-key", "sign", "random", "counter"] as const;

/** What a command answers: hex strings, numbers and flags. */
export type SecureElementAnswer = Readonly<Record<string, string | number | boolean>>;

/**
 * The chip that holds a sensor's signing key (ATECC608A on the board). Its key is made inside, and leaves it by no command.
 *
 * | command | arguments | answer |
 * |---|---|---|
 * | `info` | – | `model`, `revision`, `locked` |
 * | `serial` | – | `serial`, 9 bytes |
 * | `public-key` | – | `public_key`, uncompressed P-256 point |
 * | `sign` | `data`, up to 4096 bytes | `signature` over its SHA-256, r then s |
 * | `random` | `bytes` 1..32, @default 32 | `random` |
 * | `counter` | `increment`, @default false | `counter`, which never goes down |
 *
 * Byte strings are lower-case hex.
 */
export interface SecureElement {
  /**
   * Carries out one command.
   * @throws SE_COMMAND_REFUSED
   */
  readonly execute: (command: unknown) => Promise<SecureElementAnswer>;
}

/** A signer that lets the secure element sign. */
export function signerOf(element: SecureElement): Signer {
  return async (data) => {
    const { signature } = await element.execute({ command: "sign", data: Buffer.from(data).toString("hex") });
    return Buffer.from(String(signature), "hex");
  };
}
