import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { DiskSpace, Machine } from "../machine.ts";
import { nearestExisting } from "../nearest-existing.ts";

const GIB = 2 ** 30;
const WARN_BYTES = 10 * GIB;
const PROBLEM_BYTES = 2 * GIB;

/** A folder that is written to. */
export interface DiskFacts {
  readonly what: string;
  readonly folder: string;
  /** Undefined where the folder is not on this machine. */
  readonly space: DiskSpace | undefined;
}

const { ok, bad } = findingsOf("disk");

/** Room where the state directory and docker's images are. */
export function gatherDisk(machine: Machine, stateDir: string, dockerRoot: string | undefined): readonly DiskFacts[] {
  const docker = { what: "docker's images and containers", folder: dockerRoot ?? "" };
  return [
    { what: "the state directory", folder: stateDir, space: machine.diskSpace(nearestExisting(machine, stateDir)) },
    ...(dockerRoot === undefined ? [] : [{ ...docker, space: machine.diskSpace(dockerRoot) }]),
  ];
}

/** Whether there is room to deploy and to store telemetry. */
export function judgeDisk(facts: readonly DiskFacts[]): readonly DoctorFinding[] {
  return facts.map(({ what, folder, space }) => {
    if (space === undefined) {
      return bad("warning", "DOCTOR_NOT_CHECKED", `the disk of ${what}, "${folder}", is not one of this machine`);
    }
    const free = `${gib(space.freeBytes)} of ${gib(space.totalBytes)} GiB are free for ${what}, "${folder}"`;
    if (space.freeBytes >= WARN_BYTES) return ok(free);
    return bad(space.freeBytes < PROBLEM_BYTES ? "problem" : "warning", "DOCTOR_DISK_LOW", free);
  });
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
