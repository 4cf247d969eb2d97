import type { Deployment } from "../../../model/deployment.ts";
import type { DockerCli } from "../../../stacks/host/docker-cli.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { SwapFacts } from "../hardening/swap.ts";
import type { Machine } from "../machine.ts";
import type { Needs } from "../subject.ts";

/** What decides whether decryption keys can get from memory to a disk. */
export interface KeysInMemoryFacts {
  /** Undefined where the kernel does not list its swap areas. */
  readonly swap: readonly SwapFacts[] | undefined;
  /** Hard limit of custody's process in bytes, or `unlimited`; undefined where it does not run, or cannot be read. */
  readonly coreLimit: string | undefined;
}

const { bad } = findingsOf("decryption keys");

/** The hard limit of core dumps that custody's process has now (proc(5), /proc/pid/limits). */
export async function custodyCoreLimit(docker: DockerCli, machine: Machine): Promise<string | undefined> {
  const { stdout } = await docker(["container", "inspect", "--format", "{{.State.Pid}}", "custody"]);
  const pid = /^[1-9]\d*$/.exec(stdout.trim())?.[0];
  const limits = pid === undefined ? undefined : machine.readText(`/proc/${pid}/limits`);
  return /^Max core file size\s+\S+\s+(\S+)/m.exec(limits ?? "")?.[1];
}

/**
 * Keys on a token of hardware are never in memory; any other back end has them there while custody is unsealed, and a token that is
 * software while its server runs.
 */
export function judgeKeysInMemory(
  { custody: { kind, leastClass } }: Pick<Deployment, "custody">,
  { swap, coreLimit }: KeysInMemoryFacts,
  { promises }: Needs,
): readonly DoctorFinding[] {
  if (kind === "pkcs11" && leastClass !== "software") return [];
  const level = promises ? "problem" : "warning";
  const plain = (swap ?? []).filter(({ on }) => on !== "memory" && on !== "encrypted").map(({ name }) => `"${name}"`);
  const held =
    kind === "pkcs11"
      ? "a token that is software has the private keys in the memory of its server"
      : `the private keys (${kind}) are in memory while custody is unsealed`;
  return [
    ...(plain.length === 0 ? [] : [bad(level, "DOCTOR_SWAP_PLAIN", `${held}, and swap is on: ${plain.join(", ")}`)]),
    ...(coreLimit === undefined || coreLimit === "0"
      ? []
      : [bad(level, "DOCTOR_CORE_DUMPS", `${held}, and its process may dump ${coreLimit} bytes`, LIMIT_FIX)]),
  ];
}

const LIMIT_FIX = "run `trustkern deploy`, which makes a container anew whose limits were changed";
