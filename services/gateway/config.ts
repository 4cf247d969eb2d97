import { z } from "zod";
import { brokerConfig, commonConfig, listenConfig, tlsConfig } from "../runtime/config.ts";

const MEBIBYTE = 1 << 20;

/** What a made device vouches for itself with. */
const device = { deviceCertFile: z.string().min(1), deviceKeyFile: z.string().min(1) } as const;

/** Configuration of the gateway. */
export const gatewayConfig = z.strictObject({
  ...commonConfig,
  name: z.string().regex(/^gw-[a-z0-9-]{1,60}$/, "must be gw- and 1 to 60 of a-z 0-9 -"),
  /** UDP address that sensors send to. */
  coap: listenConfig,
  broker: brokerConfig,
  /** What the gateway shows until it has renewed it by itself. */
  tls: tlsConfig,
  /** Where allowlist and configuration are fetched, and certificates are renewed. @default the broker alone brings news */
  backend: z
    .strictObject({
      host: z.string().min(1),
      port: z.int().min(1).max(65_535),
      servername: z.string().min(1),
      /** Seconds between two fetches, beside those at each connect to the broker. @default 300 */
      pollSeconds: z.number().min(1).max(86_400).default(300),
    })
    .optional(),
  /** Path of the token that belongs to the certificate of `tls`. @default none: nothing is asked of the backend */
  tokenFile: z.string().min(1).optional(),
  /** Where a gateway without a certificate gets one. @default nowhere */
  enrolment: z
    .union([
      /** At the gateways' authority. */
      z.strictObject({ ...device, caUrl: z.url({ protocol: /^https$/ }), servername: z.string().min(1) }),
      /** At the backend, with a one-time token. */
      z.strictObject({ ...device, tokenFile: z.string().min(1) }),
    ])
    .optional(),
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
