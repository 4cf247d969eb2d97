import { rotationErrors } from "./errors.ts";
import type { Member } from "./fleet.ts";

/**
 * Refuses a rotation where nobody on this host could follow it: waiting would end in nothing but the end of the wait.
 * @throws ROTATION_NOT_RUNNING
 */
export function assertSomebodyRuns(members: readonly Member[]): void {
  const here = members.filter(({ elsewhere }) => elsewhere === undefined);
  const says = ({ anchors, certificates, pins }: Member): boolean =>
    [anchors, certificates, pins].some((one) => one !== undefined && one !== "none");
  if (here.length === 0 || here.some(says)) return;
  const names = here.map(({ name }) => name).join(", ");
  throw rotationErrors.error("ROTATION_NOT_RUNNING", `nothing runs: none of ${names} answers`, { path: "--what" });
}
