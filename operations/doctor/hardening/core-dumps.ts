import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";
import type { Needs } from "../subject.ts";

/** What the kernel does with the memory of a process that crashes (core(5)). */
export interface CoreDumpFacts {
  /** `kernel.core_pattern`; undefined where it cannot be read. */
  readonly pattern: string | undefined;
  /** Hard limit of what docker, and so its containers, may dump: bytes, `unlimited`, or undefined where it cannot be read. */
  readonly dockerLimit: string | undefined;
  /** The same of this process, and so of the embedded engine's. */
  readonly ownLimit: string | undefined;
}

const DISCARDED = /^\|\s*(?:\/usr)?\/bin\/(?:false|true)(?:\s|$)/;
const DOCKER_PID_FILE = "/var/run/docker.pid";

const { ok, bad } = findingsOf("core dumps");

/** Reads what the kernel says. */
export function gatherCoreDumps(machine: Machine): CoreDumpFacts {
  const pid = machine.readText(DOCKER_PID_FILE)?.trim();
  const limitOf = (process: string) =>
    /^Max core file size\s+\S+\s+(\S+)/m.exec(machine.readText(`/proc/${process}/limits`) ?? "")?.[1];
  return {
    pattern: machine.readText("/proc/sys/kernel/core_pattern")?.trim(),
    dockerLimit: pid !== undefined && /^\d+$/.test(pid) ? limitOf(pid) : undefined,
    ownLimit: limitOf("self"),
  };
}

/** Whether a crash leaves keys on a disk. The kernel does not apply the limit to a program that takes dumps. */
export function judgeCoreDumps(facts: CoreDumpFacts, needs: Needs): readonly DoctorFinding[] {
  const { pattern, dockerLimit, ownLimit } = facts;
  if (pattern === undefined) {
    return [bad("warning", "DOCTOR_NOT_CHECKED", "kernel.core_pattern cannot be read")];
  }
  if (pattern === "" || DISCARDED.test(pattern)) return [ok("the kernel discards core dumps")];
  const level = needs.promises ? "problem" : "warning";
  if (pattern.startsWith("|")) {
    return [
      bad(level, "DOCTOR_CORE_DUMPS", `a crash hands the process's memory to "${pattern.slice(1).split(" ")[0]}"`),
    ];
  }
  const limit = needs.docker ? dockerLimit : ownLimit;
  if (limit === "0") return [ok("no core dump is written: the limit is 0 bytes")];
  const whose = `the limit of ${needs.docker ? "docker" : "this process"} is ${limit ?? "not known"}`;
  return [bad(level, "DOCTOR_CORE_DUMPS", `a crash writes the process's memory to "${pattern}": ${whose}`)];
}
