import { z } from "zod";
import { SCRYPT_WORK_FACTOR_RANGE } from "../../custody/passphrase.ts";
import { commonConfig } from "../runtime/config.ts";

/** Configuration of the custody service. */
export const custodyConfig = z.strictObject({
  ...commonConfig,
  /** Unix socket that opens KEM ciphertexts in batches; mode 0600. */
  socket: z.string().min(1),
  /** Folder of the encrypted key file. */
  stateDir: z.string().min(1),
  passphraseFile: z.string().min(1),
  /**
   * Base-2 logarithm of scrypt's N for the next write.
   * @default 18; 12 with a passphrase of 256 random bits, and only then may it be below 18
   */
  scryptWorkFactor: z.int().min(SCRYPT_WORK_FACTOR_RANGE.min).max(SCRYPT_WORK_FACTOR_RANGE.max).optional(),
  /** How often uses of keys are reported as one `KEY_USED` event for each key. */
  keyUsageSeconds: z.number().min(0.1).max(3600).default(60),
  /** A vectors file whose recipient key is imported at the start. For the dev profile only. */
  fixtureFile: z.string().min(1).optional(),
});

/** What {@link custodyConfig} parses to. */
export type CustodyConfig = z.infer<typeof custodyConfig>;
