import { z } from "zod";
import { CUSTODY_CLASSES } from "../../custody/backends/key-store.ts";
import { SCRYPT_WORK_FACTOR_RANGE } from "../../custody/passphrase.ts";
import { commonConfig } from "../runtime/config.ts";

const text = z.string().min(1);
const { min, max } = SCRYPT_WORK_FACTOR_RANGE;

/** Where the private keys are: one form for each back end of custody/backends. */
const keyStoreConfig = z.union([
  z.strictObject({
    kind: z.literal("file"),
    folder: text,
    /** @default none: a person gives the passphrase with each order to unseal */
    passphraseFile: text.exactOptional(),
    /**
     * Base-2 logarithm of scrypt's N, when the store is made.
     * @default 18; 12 with a passphrase of 256 random bits, and only then may it be below 18
     */
    scryptWorkFactor: z.int().min(min).max(max).exactOptional(),
  }),
  z.strictObject({ kind: z.literal("file"), folder: text, identityFile: text }),
  z.strictObject({ kind: z.literal("pkcs11"), module: text, token: text, pinFile: text, keyPrefix: text }),
  /** The socket of `trustkern keys token-server`. */
  z.strictObject({ kind: z.literal("pkcs11"), server: text }),
  z.strictObject({ kind: z.literal("tpm2"), device: text, folder: text, pcrs: text }),
  z.strictObject({
    kind: z.literal("vault"),
    address: z.url({ protocol: /^https$/ }),
    mount: text,
    key: text,
    tokenFile: text,
    caFile: text.exactOptional(),
    folder: text,
  }),
  z.strictObject({
    kind: z.literal("aws-kms"),
    region: text,
    keyId: text,
    folder: text,
    endpoint: z.url().exactOptional(),
  }),
]);

/** Configuration of the crypto service. */
export const custodyConfig = z.strictObject({
  ...commonConfig,
  keyStore: keyStoreConfig,
  /** No store of a worse class is opened. @default software */
  leastClass: z.enum(CUSTODY_CLASSES).default("software"),
  /** When keys are opened: by itself, for profile dev alone, or once an operator orders it. */
  unseal: z.enum(["at-start", "on-order"]),
  /** Folder of the generations' public data. */
  stateFolder: text,
  /** Folder of the audit log. */
  auditFolder: text,
  /** Unix socket that opens KEM ciphertexts in batches, for the custody broker; mode 0600. */
  kemSocket: text,
  /** Unix socket that manages the keys by gRPC, for this host; mode 0600. */
  manageSocket: text,
  /** How often uses of keys are reported as one `KEY_USED` event for each key. */
  keyUsageSeconds: z.number().min(0.1).max(3600).default(60),
  /** Several custodies have the same keys: one of them makes and changes generations, the others follow it. @default this one is alone */
  replicas: z
    .strictObject({
      /** Host name of the one that writes; every other one follows it. */
      writer: text,
      /** Host name of this one. @default the machine's */
      self: text.exactOptional(),
      /** For how long one that follows opens without hearing of the writer. */
      followSeconds: z.number().min(1).max(86_400).default(3600),
    })
    .optional(),
  /** A vectors file whose recipient key is imported at each unsealing. For the dev profile only. */
  fixtureFile: text.optional(),
});

/** What {@link custodyConfig} parses to. */
export type CustodyConfig = z.infer<typeof custodyConfig>;
