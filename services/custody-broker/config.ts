import { z } from "zod";
import { commonConfig, listenConfig, tlsConfig } from "../runtime/config.ts";

/** Configuration of the custody broker. */
export const custodyBrokerConfig = z.strictObject({
  ...commonConfig,
  /** Unix socket of the crypto service. */
  custodySocket: z.string().min(1),
  /** Where the collector asks: a Unix socket of mode 0600 in a folder that it alone sees, or TCP with mutual TLS. */
  listen: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("unix"), socket: z.string().min(1) }),
    z.strictObject({
      kind: z.literal("mtls"),
      address: listenConfig,
      tls: tlsConfig.required({ crlFile: true }),
    }),
  ]),
  /** Items that the collector may have opened in a second, over a longer time; as many at once. @default 100000 */
  itemsPerSecond: z.int().min(1).max(10_000_000).default(100_000),
  /** Items that may be under way at once. @default 65536 */
  itemsInFlight: z.int().min(1).max(1_000_000).default(65_536),
});

/** What {@link custodyBrokerConfig} parses to. */
export type CustodyBrokerConfig = z.infer<typeof custodyBrokerConfig>;
