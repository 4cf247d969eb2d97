import { randomBytes } from "node:crypto";
import { messageOf, TrustKernError } from "../../../../shared/errors.ts";
import type { OperatorClient } from "../../../../stacks/host/operator-client.ts";
import type { Delivery } from "../judge.ts";
import type { Capture } from "./capture.ts";
import { allowlistVersions, followAll, newAllowlists } from "./delivery.ts";
import type { Marker } from "./marker.ts";
import {
  enrolSensor,
  gatewaysElsewhere,
  revokeSensors,
  VERIFICATION_MAKER,
  type VerificationSensor,
} from "./sensor.ts";
import type { Sealed, Traveller, Ways } from "./ways.ts";

/** A message on its way, or why there is none. */
export interface Journey {
  readonly sensor: VerificationSensor | null;
  readonly sealed: readonly Sealed[];
  readonly deliveries: readonly Delivery[];
  readonly captures: readonly Capture[];
  readonly unsent: string | null;
  /** Gateways that run on other machines. */
  readonly elsewhere: readonly string[];
  /** When the first thing of it was made, and when the last of it was stored; milliseconds since the Unix epoch. */
  readonly madeAt: number;
  readonly storedAt: number;
  /** What becomes of the sensor and the row, in words. */
  readonly aftermath: string;
}

/** What a run leaves for the end of it, however it ends. */
interface Trace {
  operator?: OperatorClient;
  sensor?: VerificationSensor;
  deliveries?: readonly Delivery[];
}

/**
 * Enrols a sensor, captures, sends, waits, and takes the sensor away again whatever happens.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, CLUSTER_UNREACHABLE, DEPLOY_CANCELLED
 */
export async function travel(traveller: Traveller, ways: Ways, markers: readonly Marker[]): Promise<Journey> {
  const trace: Trace = {};
  const madeAt = traveller.clock().getTime();
  try {
    const went = await go(traveller, ways, markers, trace);
    return { ...went, madeAt, aftermath: await takeBack(trace) };
  } catch (thrown) {
    const aftermath = await takeBack(trace);
    const { reason } = reasonUnlessOver(thrown);
    return { ...nowhere(`no message could be sent: ${reason}`, madeAt), aftermath };
  }
}

async function go(
  traveller: Traveller,
  ways: Ways,
  markers: readonly Marker[],
  trace: Trace,
): Promise<Omit<Journey, "madeAt" | "aftermath">> {
  const { clock, onProgress } = traveller;
  const gateways = markers.map(({ gateway }) => gateway);
  const operator = await ways.operator();
  trace.operator = operator;
  await revokeSensors(operator);
  const elsewhere = await gatewaysElsewhere(operator, identitiesOf(ways));
  const before = await allowlistVersions(ways.control, gateways);
  onProgress("a verification sensor is put on the allowlists");
  const sensor = await enrolSensor(operator, traveller.random ?? randomBytes, clock());
  trace.sensor = sensor;
  const [, capturing] = await Promise.all([newAllowlists(traveller, ways, before), ways.capture()]);
  const stop = (): Promise<readonly Capture[]> => Promise.all(capturing.map((capture) => capture.stop()));
  try {
    onProgress(`a marked message is sent through ${gateways.join(", ")}`);
    const sealed: Sealed[] = [];
    for (const marker of markers) sealed.push({ marker, envelope: await sensor.seal(marker.plaintext, clock()) });
    const deliveries = await followAll(traveller, ways, sensor, sealed, await ways.send(sealed));
    trace.deliveries = deliveries;
    const storedAt = clock().getTime();
    await traveller.onSent?.(markers);
    return { sensor, sealed, deliveries, captures: await stop(), unsent: null, elsewhere, storedAt };
  } finally {
    await stop();
  }
}

/** Revokes the sensor, and says what stays behind. One that could not be revoked is, by the next run. */
async function takeBack({ operator, sensor, deliveries = [] }: Trace): Promise<string> {
  if (operator === undefined || sensor === undefined) return "no sensor was made";
  const who = `sensor ${sensor.id} of maker "${VERIFICATION_MAKER}"`;
  const isStored = deliveries.some(({ stored }) => typeof stored !== "string" && stored.rows > 0);
  const row = isStored ? ", and its row stays until the end of its retention" : "";
  try {
    await revokeSensors(operator);
    return `${who} is revoked again${row}`;
  } catch (thrown) {
    return `${who} could NOT be revoked (${messageOf(thrown)}): \`trustkern device revoke ${sensor.id} --sensor\`${row}`;
  }
}

/** The gateways of this deployment, and whoever else has a gateway's certificate. */
function identitiesOf({ components }: Ways): readonly string[] {
  return components.flatMap(({ name, identity = name }) => [name, identity]);
}

/** A journey that did not begin, and why. */
export function nowhere(unsent: string, at: number): Journey {
  const nothing = { sensor: null, sealed: [], deliveries: [], captures: [], elsewhere: [] };
  return { ...nothing, unsent, madeAt: at, storedAt: at, aftermath: "no sensor was made" };
}

const OVER: readonly string[] = ["DOCKER_UNREACHABLE", "DOCKER_MISSING", "CLUSTER_UNREACHABLE", "DEPLOY_CANCELLED"];

/** Why something did not work; what ends the verification, and a mistake of ours, is thrown on. */
export function reasonUnlessOver(thrown: unknown): { readonly reason: string } {
  const isOver = thrown instanceof TrustKernError && OVER.includes(thrown.code);
  if (isOver || thrown instanceof TypeError) throw thrown;
  return { reason: messageOf(thrown) };
}
