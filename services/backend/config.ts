import { z } from "zod";
import { networkSchema } from "../../protocol/provisioning-bundle.ts";
import { brokerConfig, commonConfig, listenConfig, tlsConfig } from "../runtime/config.ts";

/** Configuration of the backend. */
export const backendConfig = z.strictObject({
  ...commonConfig,
  listen: listenConfig,
  /** The server's certificate, and the client's towards the broker. */
  tls: tlsConfig,
  /** Folder of the registry. */
  stateDir: z.string().min(1),
  /** PKCS#8 PEM of the P-256 key that signs bundles, allowlists and updates. */
  signingKeyFile: z.string().min(1),
  broker: brokerConfig,
  /** The Thread network that sensors join. */
  network: networkSchema.omit({ network_key: true }).extend({
    /** 16 bytes in hex. */
    networkKeyFile: z.string().min(1),
  }),
  /** Names of the gateways that get an allowlist each. */
  gateways: z.array(z.string().regex(/^gw-[a-z0-9-]{1,60}$/, "must be gw- and 1 to 60 of a-z 0-9 -")),
  /** Where sensors find their gateway, as it stands in bundles: `coap://host:port`. */
  coap: z.string().regex(/^coap:\/\/\S+:\d{1,5}$/, "must be coap://host:port"),
  /**
   * Hours after which an unchanged allowlist is signed anew; gateways distrust one older than 72 h.
   * @default 6
   */
  allowlistRenewHours: z.number().positive().max(48).default(6),
});

/** What {@link backendConfig} parses to. */
export type BackendConfig = z.infer<typeof backendConfig>;
