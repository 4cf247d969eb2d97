import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolsContext } from "../../../operations/tools/context.ts";
import { ensureTool } from "../../../operations/tools/ensure-tool.ts";
import { runProgram } from "../run.ts";
import { type Addresses, chooseAddresses } from "./addresses.ts";
import { cgroupOf } from "./cgroups.ts";
import { programImage } from "./images.ts";
import { INSIDE } from "./node.ts";
import { type Credentials, renderCredentials } from "./render/credentials.ts";
import { VOLUMES, volumeFolder } from "./render/objects.ts";
import { renderSettings } from "./render/settings.ts";
import { claimState } from "./state.ts";

/** Programs that run on the node. */
export const ON_NODE = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
] as const;

const PROGRAMS = [...ON_NODE, "kubectl", "coredns", "pause"] as const;

/** Files of the programs that a cluster is made of. */
export type Programs = Readonly<Record<(typeof PROGRAMS)[number], string>>;

/** Programs of a cluster, built where the cache has them not. @throws what `ensureTool` throws */
export async function ensurePrograms(context: ToolsContext): Promise<Programs> {
  const files: (readonly [string, string])[] = [];
  // One after the other: each build takes all processors.
  for (const name of PROGRAMS) files.push([name, await ensureTool(context, name)]);
  return Object.fromEntries(files) as Programs;
}

/** What a new cluster has before anything of it runs. */
export interface Prepared {
  readonly addresses: Addresses;
  readonly credentials: Credentials;
}

/**
 * Takes the state folder, and writes all files of a new cluster into it.
 * @throws CLUSTER_STATE_FOREIGN, CLUSTER_NETWORK_TAKEN
 */
export async function prepareState(state: string, now: Date): Promise<Prepared> {
  claimState(state);
  const addresses = chooseAddresses(await routes());
  const credentials = await renderCredentials(addresses, now);
  const pauseImage = programImage("pause");
  const settings = renderSettings({ inside: INSIDE, addresses, cgroup: cgroupOf(state), pauseImage });
  for (const [path, text] of [...settings, ...credentials.files])
    writeFileSync(join(state, path), text, { mode: 0o600 });
  for (let number = 0; number < VOLUMES; number += 1) mkdirSync(join(state, volumeFolder(number)));
  return { addresses, credentials };
}

async function routes(): Promise<readonly string[]> {
  const { stdout } = await runProgram("ip", ["-json", "-4", "route", "show", "table", "all"]);
  const found = JSON.parse(stdout || "[]") as readonly { readonly dst: string }[];
  return found.map(({ dst }) => dst);
}
