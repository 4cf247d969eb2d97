import { setTimeout as delay } from "node:timers/promises";
import { envelopeDigest } from "../../../protocol/envelope.ts";
import { hexOf } from "../../../protocol/hex.ts";
import { type BenchSensor, makeEnvelope } from "../../../scripts/bench/envelopes.ts";
import { createCoapClient } from "../../../services/runtime/coap/client.ts";

/** Sensors that send all the time. */
export interface Load {
  /** Digests of the envelopes that the gateway has acknowledged, hex. */
  readonly acknowledged: ReadonlySet<string>;
  /** Ends when each sensor has its last answer. */
  readonly stop: () => Promise<void>;
}

/** Has each sensor send so many messages a second over CoAP; each message is repeated until it is acknowledged. */
export function startLoad(
  sensors: readonly BenchSensor[],
  { coapPort, recipient }: { readonly coapPort: number; readonly recipient: Uint8Array },
  perSecond: number,
): Load {
  const acknowledged = new Set<string>();
  let stopped = false;

  async function run(sensor: BenchSensor): Promise<void> {
    const radio = createCoapClient({ address: "127.0.0.1", port: coapPort });
    const from = performance.now();
    for (let seq = 1; !stopped; seq += 1) {
      const bytes = await makeEnvelope(sensor, seq, recipient);
      for (let code = ""; code !== "2.04"; ) {
        const answer = await radio.request({ method: "POST", path: "/tk/v1", payload: bytes }).catch(() => null);
        code = answer?.code ?? "";
        if (code.startsWith("4.")) throw new Error(`the gateway refuses: ${answer?.payload}`);
      }
      acknowledged.add(hexOf(envelopeDigest(bytes)));
      await delay(Math.max(0, from + (seq * 1000) / perSecond - performance.now()));
    }
    radio.close();
  }

  const running = Promise.all(sensors.map(run));
  return {
    acknowledged,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}
