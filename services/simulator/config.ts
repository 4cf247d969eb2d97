import { z } from "zod";
import { brokerConfig, commonConfig, tlsConfig } from "../runtime/config.ts";

/** Configuration of the simulator. */
export const simulatorConfig = z.strictObject({
  ...commonConfig,
  /** Folder of the sensors' memories and of their secure elements' files; made when it is not there. */
  stateDir: z.string().min(1),
  /** Where the radio network leads to. */
  gatewayCoap: z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65_535) }),
  /** CoAP timing; short, since there is no radio. @default 300 ms, 4 repeats */
  coapTiming: z
    .strictObject({ ackTimeoutMs: z.int().min(10), maxRetransmit: z.int().min(0).max(20) })
    .default({ ackTimeoutMs: 300, maxRetransmit: 4 }),
  /** The rogue gateway: where it connects, with a certificate that is valid. */
  rogue: z.strictObject({ broker: brokerConfig, tls: tlsConfig }),
});

/** What {@link simulatorConfig} parses to. */
export type SimulatorConfig = z.infer<typeof simulatorConfig>;
