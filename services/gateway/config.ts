import { z } from "zod";
import { brokerConfig, commonConfig, listenConfig, tlsConfig } from "../runtime/config.ts";

const MEBIBYTE = 1 << 20;

/** Configuration of the gateway. */
export const gatewayConfig = z.strictObject({
  ...commonConfig,
  name: z.string().regex(/^gw-[a-z0-9-]{1,60}$/, "must be gw- and 1 to 60 of a-z 0-9 -"),
  /** UDP address that sensors send to. */
  coap: listenConfig,
  broker: brokerConfig,
  tls: tlsConfig,
  /** Folder of the gateway's database; made when it is not there. */
  stateDir: z.string().min(1),
  /** Path of the backend's public key: an uncompressed point in hex. */
  backendKeyFile: z.string().min(1),
  /** Bytes of envelopes that may wait for a receipt. @default 64 MiB */
  spoolMaxBytes: z
    .int()
    .min(4096)
    .default(64 * MEBIBYTE),
  /** Envelopes on the way without a receipt. @default 1000 */
  inFlightMax: z.int().min(1).max(1000).default(1000),
  /** @default 30 */
  receiptTimeoutSeconds: z.number().min(0.1).max(3600).default(30),
  /** @default 72 */
  allowlistMaxAgeHours: z.number().positive().max(8760).default(72),
  /** Bytes of rejected envelopes kept, the oldest go first. @default 16 MiB */
  quarantineMaxBytes: z
    .int()
    .min(0)
    .default(16 * MEBIBYTE),
  /** Datagrams that one source address may send. @default 2000 a second, 4000 at once */
  flood: z.strictObject({ perSecond: z.int().min(1), burst: z.int().min(1) }).default({ perSecond: 2000, burst: 4000 }),
});

/** What {@link gatewayConfig} parses to. */
export type GatewayConfig = z.infer<typeof gatewayConfig>;
