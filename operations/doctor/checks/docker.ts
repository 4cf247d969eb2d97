import type { DockerFacts, DockerUp } from "../docker-facts.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Needs } from "../subject.ts";

const OLDEST = { major: 20, minor: 10 };
const ADVISED_MAJOR = 23;
const GOOD_DRIVERS = ["overlay2", "overlayfs", "fuse-overlayfs", "btrfs", "zfs"];

const { ok, bad, fromError } = findingsOf("docker");

/** Whether the Docker Engine answers, is new enough, and enforces what containers are promised. */
export function judgeDocker(facts: DockerFacts, needs: Needs): readonly DoctorFinding[] {
  if (facts.state === "unneeded") return [];
  if (facts.state === "away") return [fromError(needs.docker ? "problem" : "warning", facts.error)];
  return [
    ...judgeVersion("engine", facts.server),
    ...judgeVersion("client", facts.client),
    GOOD_DRIVERS.includes(facts.storageDriver)
      ? ok(`storage driver ${facts.storageDriver}`)
      : bad("warning", "DOCTOR_STORAGE_DRIVER", `storage driver ${facts.storageDriver}; advised: overlay2`),
    ...judgeLimits(facts),
    facts.seccomp
      ? ok("system calls of containers are filtered")
      : bad("warning", "DOCTOR_DOCKER_SECCOMP", "no seccomp profile is in force"),
  ];
}

function judgeVersion(what: "engine" | "client", version: string): readonly DoctorFinding[] {
  const [, majorText, minorText] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (majorText === undefined) {
    return [bad("warning", "DOCTOR_NOT_CHECKED", `docker ${what} says version "${version}", which is not a number`)];
  }
  const [major, minor] = [Number(majorText), Number(minorText)];
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    const oldest = `${OLDEST.major}.${OLDEST.minor}`;
    return [bad("problem", "DOCTOR_DOCKER_OLD", `docker ${what} ${version}; accepted: ${oldest} or newer`)];
  }
  if (major < ADVISED_MAJOR) {
    return [bad("warning", "DOCTOR_DOCKER_OLD", `docker ${what} ${version}; advised: ${ADVISED_MAJOR}.0 or newer`)];
  }
  return [ok(`docker ${what} ${version}`)];
}

function judgeLimits({ limits }: DockerUp): readonly DoctorFinding[] {
  const missing = Object.entries(limits).flatMap(([name, enforced]) => (enforced ? [] : [name]));
  if (missing.length === 0) return [ok("limits of memory, swap, processes and processors are enforced")];
  return [bad("problem", "DOCTOR_DOCKER_LIMITS", `docker enforces no limit of ${missing.join(", ")}`)];
}
