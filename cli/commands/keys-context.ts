import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../../model/deployment.ts";
import { MANAGE_SOCKET } from "../../modules/custody/component.ts";
import { hostSocket } from "../../stacks/docker/mounts.ts";
import { embeddedPlacement } from "../../stacks/embedded/placement.ts";
import { type KeysOverview, keysOverview } from "../../stacks/host/generations/overview.ts";
import {
  type GenerationsSite,
  keysLockOf,
  type OpenGenerations,
  openGenerations,
} from "../../stacks/host/generations/site.ts";
import type { Layout } from "../../stacks/host/layout.ts";
import { lockWithin } from "../../stacks/host/lock.ts";
import type { CommandContext } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { actorOf } from "../user.ts";
import { certsSite } from "./certs-context.ts";

/** How long a command waits for another one that changes generations, in milliseconds. */
const LOCK_MS = 20_000;

/**
 * The generations of the deployment of `-f` or `--dir`, whichever engine runs it.
 * @throws NOT_DEPLOYED, STATE_CORRUPT, CONFIG_INVALID
 */
export async function generationsSite(context: CommandContext): Promise<GenerationsSite> {
  const { io, flags } = context;
  const { deployment } = await locateDeployment(io, flags);
  const { layout, operator, clock } = await certsSite(context);
  const socket = (component: string, name: string): string => socketOf(deployment, layout, component, name);
  return {
    layout,
    operator,
    clock,
    deployment,
    manageSocket: socket("custody", MANAGE_SOCKET),
    collectorSocket: socket("collector", "control"),
    actor: actorOf(io),
  };
}

/**
 * What is known of the deployment's keys; changes nothing. In a cluster custody's files are in its pod.
 * @throws as {@link generationsSite} and {@link keysOverview}
 */
export async function knownKeys(context: CommandContext): Promise<KeysOverview> {
  const site = await generationsSite(context);
  using generations = openGenerations(site);
  return await keysOverview(generations, site.deployment.engine === "kubernetes" ? undefined : site.layout);
}

/**
 * Changes generations, while nobody else does.
 * @param work is handed a `rest`, which lets others change them for so many milliseconds, or until `signal`
 * @throws STATE_LOCKED when another process keeps at it
 */
export async function changingKeys<T>(
  site: GenerationsSite,
  work: (generations: OpenGenerations, rest: (ms: number, signal: AbortSignal) => Promise<void>) => Promise<T>,
): Promise<T> {
  const lock = () => lockWithin(keysLockOf(site.layout.dir), LOCK_MS);
  let unlock: (() => void) | undefined = await lock();
  const rest = async (ms: number, signal: AbortSignal): Promise<void> => {
    unlock?.();
    unlock = undefined;
    await sleep(ms, undefined, { signal }).catch(() => undefined);
    unlock = await lock();
  };
  try {
    using generations = openGenerations(site);
    return await work(generations, rest);
  } finally {
    unlock?.();
  }
}

function socketOf({ engine, tenant }: Deployment, layout: Layout, component: string, name: string): string {
  if (engine !== "embedded") return hostSocket(layout, component, name);
  return embeddedPlacement(layout, tenant, {}).socket(component, name);
}
