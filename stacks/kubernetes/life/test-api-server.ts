import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testServerTls } from "../../../custody/backends/contract/test-transit.ts";
import type { ApiAnswer, ApiObject } from "./api.ts";
import type { TestCluster } from "./test-cluster.ts";

/** What an API server of the tests heard. */
export interface HeardRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly type: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** For tests: a {@link TestCluster} behind TLS, as the command line finds it by a kubeconfig. */
export class TestApiServer {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-api-server-"));
  readonly heard: HeardRequest[] = [];
  cluster: TestCluster;
  /** Token that the user has; whoever has another one is not known. */
  readonly token = "a-token-that-stands-nowhere";
  /** What is answered in the place of the cluster; `cut` ends the connection without a word. */
  instead: (request: HeardRequest) => ApiAnswer | "cut" | undefined = () => undefined;
  /** What each way into a pod is refused with. */
  upgradeStatus = 403;
  #server: Server | undefined;
  #address = "";

  constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  async start(): Promise<void> {
    const server = createServer(await testServerTls(this.folder), (request, response) => {
      void this.#answer(request, response);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
      this.heard.push(heardOf(request, ""));
      socket.end(`HTTP/1.1 ${this.upgradeStatus} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
    this.#address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Forgets what was heard and what is answered instead, and has another cluster. */
  reset(cluster: TestCluster): void {
    this.cluster = cluster;
    this.heard.length = 0;
    this.instead = () => undefined;
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    rmSync(this.folder, { recursive: true });
  }

  /** A kubeconfig as a value, whose current context leads here. */
  config(user: object = { token: this.token }) {
    const ca = readFileSync(join(this.folder, "ca.crt")).toString("base64");
    return {
      "current-context": "plant",
      contexts: [{ name: "plant", context: { cluster: "plant", user: "anna" } }],
      clusters: [{ name: "plant", cluster: { server: this.#address, "certificate-authority-data": ca } }],
      users: [{ name: "anna", user }],
    };
  }

  /** Path of a kubeconfig with that in it. */
  kubeconfig(config: object = this.config(), name = "config"): string {
    const file = join(this.folder, name);
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const heard = heardOf(request, Buffer.concat(chunks).toString("utf8"));
    this.heard.push(heard);
    const answer =
      this.instead(heard) ??
      (heard.authorization === `Bearer ${this.token}`
        ? await this.#byCluster(heard)
        : { status: 401, body: { reason: "Unauthorized", message: "Unauthorized" } });
    if (answer === "cut") request.socket.destroy();
    else response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  }

  async #byCluster({ method, path, query, body }: HeardRequest): Promise<ApiAnswer> {
    const { api } = this.cluster;
    const found = { status: 200, body: {} };
    if (method === "PATCH") {
      return {
        ...found,
        body: await api.apply(JSON.parse(body) as ApiObject, { dryRun: query.get("dryRun") === "All" }),
      };
    }
    if (method === "PUT") return { ...found, body: await api.replace(JSON.parse(body) as ApiObject) };
    if (method === "DELETE") return (await api.remove(path)) ? found : NOT_FOUND;
    if (method === "GET" && isObject(path)) {
      const object = await api.get(path);
      return object === undefined ? NOT_FOUND : { ...found, body: object };
    }
    const selector = query.get("labelSelector");
    if (method === "GET" && (selector !== null || query.has("limit"))) {
      const labels = Object.fromEntries((selector ?? "").split(",").map((each) => each.split("=")));
      const items = await api.list(path, selector === null ? {} : labels);
      const [{ kind, apiVersion } = { kind: "", apiVersion: "v1" }] = items;
      return { ...found, body: { kind: `${kind}List`, apiVersion, metadata: {}, items } };
    }
    return api.ask(method, path, body === "" ? undefined : JSON.parse(body));
  }
}

const NOT_FOUND = { status: 404, body: { reason: "NotFound", message: "not found" } };

/** Whether a path is that of one object, and not of all of a kind. */
function isObject(path: string): boolean {
  const [, place] = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
  const rest = place?.split("/") ?? [];
  return (rest[0] === "namespaces" && rest.length > 2 ? rest.length - 2 : rest.length) === 2;
}

function heardOf({ method = "", url = "", headers }: IncomingMessage, body: string): HeardRequest {
  const { pathname, searchParams } = new URL(url, "https://server");
  const { "content-type": type, authorization } = headers;
  return { method, path: pathname, query: searchParams, type, authorization, body };
}
