import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { serverName } from "../../../model/placement.ts";
import type { TrustKernError } from "../../../shared/errors.ts";
import { hostSocket } from "../../docker/mounts.ts";
import { isAlive } from "../../host/lock.ts";
import { podNamed } from "../pods.ts";
import type { Cluster } from "./cluster.ts";
import { type Forward, forwardPort, forwardSocket } from "./forward.ts";
import { finderOf } from "./pods-running.ts";

/** Where this machine reaches a port of a component. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

/** Ways into the pods of a deployment, until they are closed. */
export interface Forwards extends AsyncDisposable {
  /** Path of a socket on this machine that leads to a component's: of custody to that of its writer, of others to any pod's. */
  readonly socket: (component: string, socket: string) => string;
  /** The same of one of several pods. */
  readonly replica: (component: string, socket: string, ordinal: number) => string;
  /** @throws TypeError for a port that no component has */
  readonly endpoint: (component: string, port: string) => Promise<Endpoint>;
  /** Nothing of them keeps this process alive. */
  readonly unref: () => void;
}

/** Opens a way to every socket of the deployment; each asks the cluster with its first connection. */
export async function openForwards({ options, config, api, plan, model, layout }: Cluster): Promise<Forwards> {
  const opened = new Map<string, Forward>();
  removeDead(dirname(layout.runDir));
  const removeOwn = (): void => rmSync(layout.runDir, { recursive: true, force: true });
  process.once("exit", removeOwn);
  const told = new Set<string>();
  const onRefused = ({ code, message, fix }: TrustKernError): void => {
    if (!told.has(message)) options.onWarning(`${code}: ${message}; ${fix}`);
    told.add(message);
  };
  const own = model.components.filter(({ name }) => podNamed(plan.pods, name) !== undefined);
  for (const { name, sockets } of own) {
    for (const { name: socket, path } of sockets) {
      for (const ordinal of ordinalsOf(name, plan)) {
        const here = hostSocket(layout, replicaName(name, ordinal), socket);
        opened.set(here, await forwardSocket(config, here, path, finderOf(api, plan, name, ordinal), onRefused));
      }
    }
  }
  let referenced = true;
  return {
    socket: (component, socket) => hostSocket(layout, component, socket),
    replica: (component, socket, ordinal) => hostSocket(layout, replicaName(component, ordinal), socket),
    endpoint: async (component, port) => {
      const found = own.find(({ name }) => name === component)?.ports.find(({ name }) => name === port);
      if (found === undefined) throw new TypeError(`${component} has no port "${port}"`);
      const key = `${component}:${port}`;
      const forward =
        opened.get(key) ?? (await forwardPort(config, found.port, finderOf(api, plan, component), onRefused));
      if (!referenced) forward.unref();
      opened.set(key, forward);
      return { host: "127.0.0.1", port: forward.port, servername: serverName(component, options.deployment.tenant) };
    },
    unref: () => {
      referenced = false;
      for (const forward of opened.values()) forward.unref();
    },
    [Symbol.asyncDispose]: async () => {
      for (const forward of opened.values()) await forward[Symbol.asyncDispose]();
      opened.clear();
      process.removeListener("exit", removeOwn);
      removeOwn();
    },
  };
}

/** Removes the sockets of processes that were killed. */
function removeDead(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (/^\d+$/.test(name) && !isAlive(Number(name))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Custodies are asked by their place, since they are not alike; of others any does. */
function ordinalsOf(component: string, { pods }: Cluster["plan"]): readonly (number | undefined)[] {
  if (component !== "custody") return [undefined];
  return Array.from({ length: podNamed(pods, component)?.replicas ?? 1 }, (_, ordinal) => ordinal);
}

/** The writer has the component's own name, so that whoever knows of no others finds it. */
function replicaName(component: string, ordinal: number | undefined): string {
  return ordinal === undefined || ordinal === 0 ? component : `${component}-${ordinal}`;
}
