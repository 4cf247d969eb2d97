import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
import { NODE } from "../../../modules/common.ts";
import { messageOf } from "../../../shared/errors.ts";
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
export function forwardSocket(config: KubeConfig, path: string, inside: string, find: FindPod): Promise<Forward> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  return listening(path, async (client) => {
    const { Exec } = await import("@kubernetes/client-node");
    const { namespace, pod, container } = await find();
    const output = new PassThrough();
    const words = [NODE, "-e", BRIDGE, inside];
    const stream = await new Exec(config).exec(
      namespace,
      pod,
      container,
      words,
      output,
      null,
      input(client),
      false,
      () => client.end(),
    );
    output.pipe(client);
    ended(client, stream);
  });
}

/** A port at this machine's loopback address that leads to one of a pod. */
export function forwardPort(config: KubeConfig, port: number, find: FindPod): Promise<Forward> {
  return listening(undefined, async (client) => {
    const { PortForward } = await import("@kubernetes/client-node");
    const { namespace, pod } = await find();
    const output = new PassThrough();
    const stream = await new PortForward(config).portForward(namespace, pod, [port], output, null, input(client));
    output.pipe(client);
    // Without retries it is a socket, and never a function that finds one.
    if (typeof stream !== "function") ended(client, stream);
  });
}

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

async function listening(path: string | undefined, onClient: (client: Socket) => Promise<void>): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => client.destroy());
    onClient(client).catch((thrown: unknown) => client.destroy(new Error(messageOf(thrown))));
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
