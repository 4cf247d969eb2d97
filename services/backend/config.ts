import { z } from "zod";
import { networkSchema } from "../../protocol/provisioning-bundle.ts";
import { brokerConfig, commonConfig, listenConfig, tlsConfig } from "../runtime/config.ts";
import { gatewayName, hardwareId, label, makerName, point } from "./request-parts.ts";

const builtInDevice = z.strictObject({
  hardware_id: hardwareId,
  kind: z.enum(["gateway", "sensor"]),
  maker: makerName,
  model: label,
  public_key: point,
  gateway: gatewayName.optional(),
});

/** Where an issuer is, and the name that its server's certificate must carry. */
const issuerConfig = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  servername: z.string().min(1),
});

const instant = z.iso.datetime();
const supportConfig = z.union([
  z.strictObject({ access: z.enum(["off", "operators"]) }),
  z.strictObject({ access: z.literal("granted"), from: instant, until: instant }),
]);

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
  gateways: z.array(gatewayName),
  /** Where sensors find their gateway, as it stands in bundles: `coap://host:port`. */
  coap: z.string().regex(/^coap:\/\/\S+:\d{1,5}$/, "must be coap://host:port"),
  /**
   * Common names that operators' certificates may have.
   * @default op-admin alone
   */
  operators: z
    .array(z.string().regex(/^op-[a-z0-9-]{1,60}$/, "must be op- and 1 to 60 of a-z 0-9 -"))
    .default(["op-admin"]),
  /**
   * When the vendor's staff (`op-support-…`) get in, and get certificates.
   * @default off
   */
  support: supportConfig.default({ access: "off" }),
  /**
   * Devices that are part of the deployment, with the gateway that each is.
   * @default none
   */
  madeDevices: z.array(builtInDevice).default([]),
  /**
   * Issuers that run, by the class of what they issue; what no issuer is named for is issued on the operator's machine.
   * @default none
   */
  issuing: z.strictObject({ gateways: issuerConfig.optional(), operators: issuerConfig.optional() }).default({}),
  /**
   * Hours after which an unchanged allowlist is signed anew; gateways distrust one older than 72 h.
   * @default 6
   */
  allowlistRenewHours: z.number().positive().max(48).default(6),
});

/** What {@link backendConfig} parses to. */
export type BackendConfig = z.infer<typeof backendConfig>;
