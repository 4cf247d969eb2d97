import { type CoapTiming, createCoapClient } from "../../runtime/coap/client.ts";
import { CONTENT_FORMAT, type Endpoint } from "../../runtime/coap/message.ts";
import type { Sensor } from "../sensor/sensor.ts";
import { type AttackKind, captured, forge } from "./forgeries.ts";

/** What the gateway answered to an attack. */
export interface RadioAnswer {
  /** CoAP response code, such as `4.00`. */
  readonly code: string;
  /** The verdict. */
  readonly payload: string;
}

/**
 * Sends an attack from a radio of its own.
 * @throws SIM_NOTHING_CAPTURED, COAP_NO_ANSWER
 */
export async function attackByRadio(
  kind: AttackKind,
  sensor: Sensor,
  gateway: Endpoint,
  timing: CoapTiming,
): Promise<RadioAnswer> {
  const { bytes } = await forge(kind, sensor, captured(sensor));
  const radio = createCoapClient(gateway, timing);
  try {
    const request = { method: "POST", path: "/tk/v1", payload: bytes, contentFormat: CONTENT_FORMAT.cbor } as const;
    const { code, payload } = await radio.request(request);
    return { code, payload: payload.toString("utf8") };
  } finally {
    radio.close();
  }
}
