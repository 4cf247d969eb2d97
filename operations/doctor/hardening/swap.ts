import { basename, join } from "node:path";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";
import type { Needs } from "../subject.ts";
import { type Encryption, encryptionOfDevice, encryptionOfPath } from "./block-device.ts";

/** An area that memory is written to. */
export interface SwapFacts {
  readonly name: string;
  /** `memory` for compressed memory without a disk behind it. */
  readonly on: Encryption | "memory";
}

const { ok, bad } = findingsOf("swap");

/** The swap areas in use (proc(5), /proc/swaps), or undefined where the kernel does not list them. */
export function gatherSwap(machine: Machine): readonly SwapFacts[] | undefined {
  const lines = machine.readText("/proc/swaps")?.trim().split("\n").slice(1);
  return lines?.map((line) => {
    const [escaped = "", kind] = line.split(/\s+/);
    const name = escaped.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    return { name, on: kind === "file" ? encryptionOfPath(machine, name) : onDevice(machine, name) };
  });
}

function onDevice(machine: Machine, path: string): SwapFacts["on"] {
  const folder = machine.realPath(join("/sys/class/block", basename(machine.realPath(path) ?? path)));
  if (folder === undefined) return "unknown";
  const isZram = basename(folder).startsWith("zram");
  const backing = machine.readText(join(folder, "backing_dev"))?.trim() ?? "none";
  if (isZram && backing === "none") return "memory";
  return isZram ? onDevice(machine, backing) : encryptionOfDevice(machine, folder);
}

/** Whether keys in memory can reach a disk as they are. */
export function judgeSwap(facts: readonly SwapFacts[] | undefined, needs: Needs): readonly DoctorFinding[] {
  if (facts === undefined) {
    return [bad("warning", "DOCTOR_NOT_CHECKED", "the kernel does not list its swap areas in /proc/swaps")];
  }
  if (facts.length === 0) return [ok("swap is off")];
  return facts.map(({ name, on }) => {
    if (on === "memory") return ok(`"${name}" stays in memory`);
    if (on === "encrypted") return ok(`"${name}" is encrypted`);
    const message = `swap is on, and not seen to be encrypted: "${name}"`;
    return bad(needs.promises ? "problem" : "warning", "DOCTOR_SWAP_PLAIN", message);
  });
}
