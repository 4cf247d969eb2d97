import { randomBytes } from "node:crypto";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { dockerSite } from "../../../stacks/docker/life/certs-site.ts";
import type { OperatorClient } from "../../../stacks/host/operator-client.ts";
import { type Capture, startCapture } from "./capture.ts";
import { allowlistVersions, followAll, newAllowlists, type Sealed, sendAll } from "./delivery.ts";
import type { Delivery } from "./judge.ts";
import type { Marker } from "./marker.ts";
import { enrolSensor, revokeSensors, type VerificationSensor } from "./sensor.ts";
import type { DataSubject } from "./subject.ts";

/** Longest that packets are captured, in milliseconds. */
const CAPTURE_MS = 240_000;

/** A message on its way, or why there is none. */
export interface Journey {
  readonly sensor: VerificationSensor | null;
  readonly sealed: readonly Sealed[];
  readonly deliveries: readonly Delivery[];
  readonly captures: readonly Capture[];
  readonly unsent: string | null;
  /** When the first thing of it was made, and when the last of it was stored; milliseconds since the Unix epoch. */
  readonly madeAt: number;
  readonly storedAt: number;
}

/**
 * Enrols a sensor, captures, sends, waits, and takes the sensor away again whatever happens.
 * @param running names of the containers that run
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DEPLOY_CANCELLED
 */
export async function travel(
  subject: DataSubject,
  image: string,
  markers: readonly Marker[],
  running: readonly string[],
): Promise<Journey> {
  const { docker, clock, onProgress } = subject;
  const madeAt = clock().getTime();
  let operator: OperatorClient | undefined;
  let captures: readonly Capture[] = [];
  try {
    operator = await (await dockerSite(subject, "trustkern verify boundary")).operator();
    await revokeSensors(operator);
    const before = await allowlistVersions(
      subject,
      markers.map(({ gateway }) => gateway),
    );
    onProgress("a verification sensor is put on the allowlists");
    const sensor = await enrolSensor(operator, subject.random ?? randomBytes, clock());
    const [, capturing] = await Promise.all([
      newAllowlists(subject, before),
      Promise.all(running.map((name) => startCapture(docker, image, name, CAPTURE_MS, subject.signal))),
    ]);
    try {
      onProgress(`a marked message is sent through ${markers.map(({ gateway }) => gateway).join(", ")}`);
      const sealed = await Promise.all(
        markers.map(async (marker) => ({ marker, envelope: await sensor.seal(marker.plaintext, clock()) })),
      );
      const answers = await sendAll(subject, image, sealed);
      const deliveries = await followAll(subject, sensor, sealed, answers);
      const storedAt = clock().getTime();
      await subject.onSent?.(markers);
      captures = await Promise.all(capturing.map(({ stop }) => stop()));
      return { sensor, sealed, deliveries, captures, unsent: null, madeAt, storedAt };
    } finally {
      await Promise.all(capturing.map(({ stop }) => stop()));
    }
  } catch (thrown) {
    const { reason } = reasonUnlessOver(thrown);
    return { ...nowhere(`no message could be sent: ${reason}`, madeAt), captures };
  } finally {
    // One that stays is revoked by the next run.
    if (operator !== undefined) await revokeSensors(operator).catch(() => undefined);
  }
}

/** A journey that did not begin, and why. */
export function nowhere(unsent: string, at: number): Journey {
  return { sensor: null, sealed: [], deliveries: [], captures: [], unsent, madeAt: at, storedAt: at };
}

const OVER: readonly string[] = ["DOCKER_UNREACHABLE", "DOCKER_MISSING", "DEPLOY_CANCELLED"];

/** Why something did not work; what ends the verification is thrown on. */
export function reasonUnlessOver(thrown: unknown): { readonly reason: string } {
  if (thrown instanceof TrustKernError && !OVER.includes(thrown.code)) return { reason: thrown.message };
  if (thrown instanceof TrustKernError || !(thrown instanceof Error)) throw thrown;
  return { reason: messageOf(thrown) };
}
