import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
import { NODE } from "../../../modules/common.ts";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { kubernetesLifeErrors } from "./errors.ts";

/** A container of a pod that runs. */
export interface PodContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** Finds the pod to which a new connection goes. @throws POD_UNREACHABLE */
export type FindPod = () => Promise<PodContainer>;

/** A place on this machine that leads into a pod, for as long as it is open. */
export interface Forward extends AsyncDisposable {
  /** Of a port: the one that was chosen. */
  readonly port: number;
  /** It does not keep this process alive. */
  readonly unref: () => void;
}

/** Hears why there is no way into a pod, where no waiting mends that. */
export type OnRefused = (refusal: TrustKernError) => void;

/** Joins its standard streams with a Unix socket; runs in the container, by the program that is there. */
const BRIDGE = `const s=require("node:net").connect(process.argv[1]);
s.on("error",(e)=>{process.stderr.write(e.code+"\\n");process.exit(1)});
s.on("close",()=>process.exit(0));process.stdin.pipe(s).pipe(process.stdout)`;

/**
 * A Unix socket on this machine that leads to one in a container: each connection is an exec of its own, which the API server lets
 * through and writes into its audit log. Only this user may open it.
 * @param path of the socket here; its folder is made
 * @param inside path of the socket in the container
 */
export function forwardSocket(
  config: KubeConfig,
  path: string,
  inside: string,
  find: FindPod,
  onRefused: OnRefused = () => undefined,
): Promise<Forward> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const into = async (client: Socket) => {
    const { Exec } = await import("@kubernetes/client-node");
    const { namespace, pod, container } = await find();
    const output = new PassThrough();
    const words = [NODE, "-e", BRIDGE, inside];
    const exec = new Exec(config);
    const end = () => client.end();
    const stream = await exec
      .exec(namespace, pod, container, words, output, null, input(client), false, end)
      .catch(asRefusal("pods/exec", namespace));
    output.pipe(client);
    ended(client, stream);
  };
  return listening(path, into, onRefused);
}

/** A port at this machine's loopback address that leads to one of a pod. */
export function forwardPort(config: KubeConfig, port: number, find: FindPod, onRefused?: OnRefused): Promise<Forward> {
  const into = async (client: Socket) => {
    const { PortForward } = await import("@kubernetes/client-node");
    const { namespace, pod } = await find();
    const output = new PassThrough();
    const stream = await new PortForward(config)
      .portForward(namespace, pod, [port], output, null, input(client))
      .catch(asRefusal("pods/portforward", namespace));
    output.pipe(client);
    // Without retries it is a socket, and never a function that finds one.
    if (typeof stream !== "function") ended(client, stream);
  };
  return listening(undefined, into, onRefused);
}

/** What a WebSocket's error event says, with the right that is missing where the API server says no. */
function asRefusal(resource: string, namespace: string): (thrown: unknown) => never {
  return (thrown) => {
    if (thrown instanceof TrustKernError) throw thrown;
    const { message = messageOf(thrown) } = (thrown ?? {}) as { readonly message?: string };
    const [, status] = /server response: (40[13])$/.exec(message) ?? [];
    if (status === undefined) throw new Error(message);
    const said = status === "401" ? "the cluster does not know this user" : `this user may not get, create ${resource}`;
    throw kubernetesLifeErrors.error("CLUSTER_DENIED", `${said}, in namespace "${namespace}": HTTP ${status}`, {
      path: resource,
    });
  };
}

/** What does not mend itself while it is tried again. */
const REFUSALS = ["CLUSTER_DENIED", "CLUSTER_CREDENTIAL"];

/** What is closed with the connection, as a WebSocket is. */
interface Stream {
  readonly close: () => void;
  readonly on: (event: "close" | "error", heard: () => void) => unknown;
}

function ended(client: Socket, stream: Stream): void {
  client.on("close", () => stream.close());
  stream.on("close", () => client.destroy());
  stream.on("error", () => client.destroy());
}

/** Nothing of what a client sends is lost while the way into the pod is made. */
function input(client: Socket): PassThrough {
  return client.pipe(new PassThrough());
}

async function listening(
  path: string | undefined,
  into: (client: Socket) => Promise<void>,
  onRefused: OnRefused = () => undefined,
): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => client.destroy());
    into(client).catch((thrown: unknown) => {
      if (thrown instanceof TrustKernError && REFUSALS.includes(thrown.code)) onRefused(thrown);
      client.destroy();
    });
  });
  const started = once(server, "listening");
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await started;
  if (path !== undefined) chmodSync(path, 0o600);
  return {
    port: portOf(server),
    unref: () => void server.unref(),
    [Symbol.asyncDispose]: async () => {
      for (const client of open) client.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The error of a component that has no pod to ask. */
export function podUnreachable(component: string, why: string) {
  return kubernetesLifeErrors.error("POD_UNREACHABLE", `${component}: ${why}`, { path: component });
}
