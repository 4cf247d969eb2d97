import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testServerTls } from "../../../custody/backends/contract/test-transit.ts";
import { type ClusterApi, clusterApi } from "./api.ts";

/** What a server of the test heard. */
interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

const folder = mkdtempSync(join(tmpdir(), "tk-api-"));
const heard: Heard[] = [];
let answers: (readonly [status: number, body: unknown])[] = [];
let api: ClusterApi;
let stop: () => void;
let port = 0;
const cancel = new AbortController();

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

beforeAll(async () => {
  const server = createServer(await testServerTls(folder), async (request, response) => {
    const { method, url, headers } = request;
    heard.push({ method, url, type: headers["content-type"], body: await textOf(request) });
    const [status, body] = answers.shift() ?? [200, {}];
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stop = () => server.close();
  port = (server.address() as AddressInfo).port;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name: "test",
      server: `https://127.0.0.1:${port}`,
      caData: readFileSync(join(folder, "ca.crt")).toString("base64"),
      skipTLSVerify: false,
    },
    { name: "test", token: "a-token-of-the-test" },
  );
  api = clusterApi(config, cancel.signal);
});
afterAll(() => {
  stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  heard.length = 0;
  answers = [];
});

const refusal = (promise: Promise<unknown>): Promise<unknown> => promise.catch((thrown: unknown) => thrown);
const POLICY = {
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "one", namespace: "plant" } },
  spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [] }] },
};

describe("an API server", () => {
  it("is handed objects as they are, by server-side apply that takes no field it does not know", async () => {
    await api.apply(POLICY);
    expect(heard).toEqual([
      {
        method: "PATCH",
        url: "/apis/networking.k8s.io/v1/namespaces/plant/networkpolicies/one?fieldManager=trustkern&force=true&fieldValidation=Strict",
        type: "application/apply-patch+yaml",
        body: JSON.stringify(POLICY),
      },
    ]);
  });

  it("is asked for a dry run that changes nothing", async () => {
    await api.apply(POLICY, { dryRun: true });
    expect(heard[0]?.url).toContain("&dryRun=All");
  });

  it("is told to take away what an object has made as well", async () => {
    expect(await api.remove("/apis/batch/v1/namespaces/plant/jobs/schema")).toBe(true);
    expect(heard[0]).toMatchObject({ method: "DELETE", body: '{"propagationPolicy":"Background"}' });
  });

  it("may say that what is to be removed is not there", async () => {
    answers = [[404, { reason: "NotFound" }]];
    expect(await api.remove("/api/v1/namespaces/plant/services/none")).toBe(false);
  });

  it("may say that something is not there", async () => {
    answers = [[404, { reason: "NotFound" }]];
    expect(await api.get("/api/v1/namespaces/plant")).toBeUndefined();
  });

  it("gives lists in pages, whose items are told what they are", async () => {
    const page = (name: string, next?: string) => ({
      ...{ kind: "PodList", apiVersion: "v1", metadata: next === undefined ? {} : { continue: next } },
      items: [{ metadata: { name } }],
    });
    answers = [
      [200, page("a", "more")],
      [200, page("b")],
    ];
    const found = await api.list("/api/v1/namespaces/plant/pods", { app: "x" });
    expect(found).toEqual(["a", "b"].map((name) => ({ kind: "Pod", apiVersion: "v1", metadata: { name } })));
    expect(heard.map(({ url }) => url)).toEqual([
      "/api/v1/namespaces/plant/pods?limit=500&labelSelector=app%3Dx",
      "/api/v1/namespaces/plant/pods?limit=500&labelSelector=app%3Dx&continue=more",
    ]);
  });

  it.each<readonly [string, number, unknown, string, number]>([
    ["does not know who asks", 401, { message: "Unauthorized" }, "CLUSTER_DENIED", 3],
    [
      "does not let the user",
      403,
      { message: 'User "u" cannot patch resource "secrets" in API group ""' },
      "CLUSTER_DENIED",
      3,
    ],
    ["does not let the user look", 403, { message: 'User "u" cannot get path "/version"' }, "CLUSTER_DENIED", 3],
    ["has a quota", 403, { message: "exceeded quota: small", reason: "Forbidden" }, "CLUSTER_REJECTED", 4],
    ["holds to PodSecurity", 403, { message: 'violates PodSecurity "restricted:latest"' }, "CLUSTER_REJECTED", 4],
    [
      "does not know a field",
      400,
      { message: 'unknown field "spec.foo"', reason: "BadRequest" },
      "CLUSTER_REJECTED",
      4,
    ],
    ["takes no change", 422, { message: "field is immutable", reason: "Invalid" }, "CLUSTER_REJECTED", 4],
    ["is too busy", 429, { message: "too many requests" }, "CLUSTER_UNREACHABLE", 4],
    ["is starting", 503, "upstream is not there", "CLUSTER_UNREACHABLE", 4],
  ])("that %s is told from the others", async (_, status, body, code, exit) => {
    answers = [[status, body]];
    const refused = await refusal(api.apply(POLICY));
    expect(refused).toMatchObject({ code, exit });
    const said = typeof body === "string" ? body : (body as { readonly message: string }).message;
    expect((refused as Error).message).toContain(said);
    expect((refused as Error).message).toContain("NetworkPolicy one");
  });

  it("that repeats what a Secret holds is not repeated, whatever stands before it", async () => {
    const data = { "tls.key": Buffer.from("canary-of-a-private-key").toString("base64") };
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "collector", namespace: "plant" }, data };
    for (const body of [{ message: `denied: ${data["tls.key"]}` }, `denied: canary-of-a-private-key`]) {
      answers = [[403, body]];
      const refused = await refusal(api.apply(secret));
      expect(refused).toMatchObject({ code: "CLUSTER_REJECTED", path: "Secret collector" });
      expect(inspect(refused, { depth: 9 })).not.toMatch(/canary|denied/);
      expect(inspect(refused, { depth: 9 })).not.toContain(data["tls.key"]);
    }
  });

  it("that is not there is told by its address, without the token", async () => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "away", server: "https://127.0.0.1:1", skipTLSVerify: false },
      { name: "away", token: "a-token-of-the-test" },
    );
    const refused = await refusal(clusterApi(config, cancel.signal).get("/api/v1/namespaces/plant"));
    expect(refused).toMatchObject({ code: "CLUSTER_UNREACHABLE", path: "https://127.0.0.1:1" });
    expect(JSON.stringify(refused) + (refused as Error).message).not.toContain("a-token");
  });

  it("is told from one with a certificate of another authority", async () => {
    const other = mkdtempSync(join(tmpdir(), "tk-api-"));
    await testServerTls(other);
    const config = new KubeConfig();
    const caData = readFileSync(join(other, "ca.crt")).toString("base64");
    config.loadFromClusterAndUser(
      { name: "other", server: `https://127.0.0.1:${port}`, caData, skipTLSVerify: false },
      { name: "other" },
    );
    const refused = await refusal(clusterApi(config, cancel.signal).apply(POLICY));
    expect(refused).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    expect((refused as Error).message).toMatch(/certificate/);
    expect(heard).toEqual([]);
    rmSync(other, { recursive: true });
  });
});
