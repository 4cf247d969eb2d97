import { readFileSync } from "node:fs";

/** Linux counts process times in ticks of a hundredth of a second, whatever the kernel's own rate (proc(5), sysconf _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/** CPU-seconds, user and system, that a process and all of its threads have used: proc(5), stat fields 14 and 15. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
