import { z } from "zod";
import { callControl } from "../../../shared/control-client.ts";

const answered = z.object({
  sensors: z.array(
    z.object({
      sensor_id: z.string(),
      key_id: z.string().nullable(),
      gateway: z.string().nullable(),
      last_seen: z.iso.datetime().nullable(),
    }),
  ),
});

/** Which key a sensor that is not revoked uses, by the newest of its stored messages; nulls where none is stored. */
export type SensorKeyUse = z.output<typeof answered>["sensors"][number];

/** Longest wait, in seconds: the collector looks up one message of each sensor. */
const LIMIT_SECONDS = 60;

/**
 * Asks the collector which key each sensor uses.
 * @param socket its control socket
 * @throws CONTROL_UNREACHABLE, CONTROL_FAILED
 */
export async function readKeyUse(socket: string): Promise<readonly SensorKeyUse[]> {
  const answer = await callControl(socket, "GET", "/key-use", undefined, { timeoutSeconds: LIMIT_SECONDS });
  return answered.parse(answer).sensors;
}

/** How sensors stand to a generation that is to be used by all. */
export interface Followers {
  /** Use it. */
  readonly following: readonly SensorKeyUse[];
  /** Were heard lately, and use another one. */
  readonly behind: readonly SensorKeyUse[];
  /** Nobody has heard of them lately, so nothing is known of what they would use. */
  readonly silent: readonly SensorKeyUse[];
}

/**
 * Who uses a generation. Whoever has sent nothing for as long as an overlap is silent, and is not waited for.
 * @param ignored keys of published fixtures: who uses them is no sensor of the deployment
 */
export function followersOf(
  use: readonly SensorKeyUse[],
  keyId: string,
  { heardSince, ignored }: { readonly heardSince: Date; readonly ignored: ReadonlySet<string> },
): Followers {
  const concerned = use.filter(({ key_id }) => key_id === null || !ignored.has(key_id));
  const others = concerned.filter(({ key_id }) => key_id !== keyId);
  const isHeard = ({ key_id, last_seen }: SensorKeyUse): boolean =>
    key_id !== null && last_seen !== null && Date.parse(last_seen) >= heardSince.getTime();
  return {
    following: concerned.filter(({ key_id }) => key_id === keyId),
    behind: others.filter(isHeard),
    silent: others.filter((sensor) => !isHeard(sensor)),
  };
}
