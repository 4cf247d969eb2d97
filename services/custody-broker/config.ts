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
  /** Where there are several custodies: how their brokers reach each other. @default this one is alone */
  replicas: z
    .strictObject({
      /** Where other custody brokers ask, and no one else. */
      address: listenConfig,
      /** Shown to whoever asks, and to the writer's broker. */
      tls: tlsConfig.required({ crlFile: true }),
      /** The broker of the custody that writes. */
      writer: z.strictObject({
        host: z.string().min(1),
        port: z.int().min(1).max(65_535),
        /** Name that its certificate must carry. */
        servername: z.string().min(1),
      }),
      /** How often the writer is asked. */
      everySeconds: z.number().min(0.1).max(60).default(5),
    })
    .optional(),
  /** Items that the collector may have opened in a second, over a longer time; as many at once. @default 100000 */
  itemsPerSecond: z.int().min(1).max(10_000_000).default(100_000),
  /** Items that may be under way at once. @default 65536 */
  itemsInFlight: z.int().min(1).max(1_000_000).default(65_536),
});

/** What {@link custodyBrokerConfig} parses to. */
export type CustodyBrokerConfig = z.infer<typeof custodyBrokerConfig>;
