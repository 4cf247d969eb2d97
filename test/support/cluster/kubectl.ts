import { join } from "node:path";
import { type Ended, runProgram } from "../run.ts";
import { kubeconfigOf } from "./state.ts";

/** Runs `kubectl` on this machine, as the administrator of the cluster with this state folder. */
export type Kubectl = (args: readonly string[], input?: string | Uint8Array, timeoutSeconds?: number) => Promise<Ended>;

/** @param program - where `ensureTool` has put `kubectl` */
export function createKubectl(program: string, state: string): Kubectl {
  const common = ["--kubeconfig", kubeconfigOf(state), "--cache-dir", join(state, "kubectl-cache")];
  return (args, input, timeoutSeconds = 60) =>
    runProgram(program, [...common, ...args], { ...(input === undefined ? {} : { input }), timeoutSeconds });
}
