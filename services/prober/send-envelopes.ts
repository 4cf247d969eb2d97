import { bytesOfHex } from "../../protocol/hex.ts";
import { messageOf } from "../../shared/errors.ts";
import type { ProbeAnswer, ProbeQuestion } from "../../shared/prober.ts";
import { createCoapClient } from "../runtime/coap/client.ts";
import { CONTENT_FORMAT } from "../runtime/coap/message.ts";

type Taken = NonNullable<ProbeAnswer["taken"]>[number];

/** One repetition, so that a gateway which is away costs seconds and not a minute. */
const TIMING = { ackTimeoutMs: 2_000, maxRetransmit: 1 } as const;

/** Sends envelopes as sensors do, each to its gateway. */
export function sendEnvelopes(envelopes: NonNullable<ProbeQuestion["envelopes"]>): Promise<Taken[]> {
  return Promise.all(
    envelopes.map(async ({ host, port, bytes }) => {
      const coap = createCoapClient({ address: host, port }, TIMING);
      try {
        const request = { method: "POST", path: "/tk/v1", contentFormat: CONTENT_FORMAT.cbor } as const;
        const { code, payload } = await coap.request({ ...request, payload: bytesOfHex(bytes) });
        // What comes with 2.04 is an update for the sensor: bytes, and no word.
        return { code, text: code === "2.04" ? "" : payload.toString("utf8") };
      } catch (thrown) {
        return { why: messageOf(thrown) };
      } finally {
        coap.close();
      }
    }),
  );
}
