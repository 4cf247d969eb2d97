import { isHex } from "../../protocol/hex.ts";
import { hpkeSeal, keyIdOf, TELEMETRY_INFO } from "../../protocol/hpke.ts";
import type { CommandContext } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { needed } from "../needed.ts";

const NOTHING = new Uint8Array();

/** A custody's import key, and what people compare of it. */
export interface ImportKey {
  /** Raw X25519 public key, 32 bytes in lower-case hex. */
  readonly importKey: string;
  /** First 8 bytes of its SHA-256, lower-case hex. */
  readonly importKeyId: string;
}

/**
 * The key of `--import-key`.
 * @throws CLI_USAGE, PROTOCOL_BAD_KEY
 */
export function importKeyOf({ options }: CommandContext): ImportKey {
  const importKey = needed(options.importKey, "--import-key").toLowerCase();
  const { length } = importKey;
  if (isHex(importKey, 32)) {
    const raw = Buffer.from(importKey, "hex");
    // One that nothing can be sealed to is refused before anybody is asked.
    hpkeSeal(raw, TELEMETRY_INFO, NOTHING, NOTHING);
    return { importKey, importKeyId: keyIdOf(raw).toString("hex") };
  }
  throw cliErrors.error("CLI_USAGE", `--import-key has ${length} characters; accepted: 64 hex digits`, {
    path: "--import-key",
    fix: "give the import key that `trustkern keys list` shows on the host of custody",
  });
}
