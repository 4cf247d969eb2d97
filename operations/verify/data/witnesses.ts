import { decodeEnvelope } from "../../../protocol/envelope.ts";
import type { Canary } from "../search/needles.ts";
import type { Hit } from "../search/search.ts";
import type { DataObservation } from "./judge.ts";
import type { Journey } from "./message/journey.ts";
import type { Unsettled } from "./settle.ts";

/** Name of the witness that is the sensor's id. */
const SENSOR = "the sensor's id";

/** What is not the plaintext, and shows that a place was looked at: the sensor's id, and the ciphertext. */
export function witnessesOf({ sensor, sealed }: Journey): readonly Canary[] {
  if (sensor === null) return [];
  const ciphertexts = sealed.flatMap(({ marker, envelope }) => {
    const decoded = decodeEnvelope(envelope);
    if (!decoded.ok) return [];
    const cores = [{ what: "text", bytes: Buffer.from(decoded.envelope.ciphertext) }] as const;
    return [{ name: ciphertextOf(marker.gateway), cores, homes: [] }];
  });
  return [{ name: SENSOR, cores: [{ what: "text", bytes: Buffer.from(sensor.id) }], homes: [] }, ...ciphertexts];
}

/** What is told from what was met where it was searched. */
export interface Met {
  readonly journey: Pick<Journey, "deliveries" | "captures">;
  readonly unsettled: Unsettled;
  /** Where the sensor's id and the ciphertexts were found. */
  readonly met: readonly Pick<Hit, "place" | "canary">[];
}

/** Components that every message passes, each of which has to be seen at it. */
const ON_THE_WAY = ["broker", "collector", "database"] as const;

/**
 * What had to be met and was not: the allowlist with the sensor at each gateway and at the backend, the ciphertext before each
 * gateway, packets of whom the message passed, and whatever came after it in logs and metrics.
 */
export function missedOf({ journey, unsettled, met }: Met): DataObservation["missed"] {
  const gateways = journey.deliveries.map(({ gateway }) => gateway);
  const isMet = (canary: string, place: string): boolean =>
    met.some((hit) => hit.canary === canary && hit.place.startsWith(place));
  const silent = [...ON_THE_WAY, ...gateways].filter((name) =>
    journey.captures.every(({ container, packets }) => container !== name || packets === 0),
  );
  const sent = gateways.length > 0;
  return {
    "data.gateway": gateways
      .filter((gateway) => !isMet(SENSOR, `volumes/${gateway}/`))
      .map((gateway) => `the sensor is not on the allowlist in the files of ${gateway}, which has it`),
    "data.operations":
      sent && !isMet(SENSOR, "volumes/backend/") ? ["the sensor is not in the files of the backend, which has it"] : [],
    "data.broker": unsettled.broker === null ? [] : [unsettled.broker],
    "data.logs": unsettled.logs === null ? [] : [unsettled.logs],
    "data.metrics": unsettled.metrics === null ? [] : [unsettled.metrics],
    "data.traffic": [
      ...gateways
        .filter((gateway) => !isMet(ciphertextOf(gateway), `traffic of ${gateway}`))
        .map((gateway) => `the capture beside ${gateway} lacks the ciphertext that was sent to it`),
      ...(sent ? silent.map((name) => `no packet was captured beside ${name}, which the message passed`) : []),
    ],
  };
}

/** Name of the witness that is the ciphertext which was sent through a gateway. */
function ciphertextOf(gateway: string): string {
  return `the ciphertext through ${gateway}`;
}
