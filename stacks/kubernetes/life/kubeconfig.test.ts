import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clusterApi } from "./api.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import { TestApiServer } from "./test-api-server.ts";
import { deployedCluster, tenantPlan } from "./test-cluster.ts";

const server = new TestApiServer(deployedCluster(tenantPlan()));
const CANARY = "canary-of-a-credential";
beforeAll(() => server.start());
afterAll(() => server.stop());

const at = (name: string) => join(server.folder, name);
const write = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
const with_ = (change: (config: ReturnType<TestApiServer["config"]>) => object, name = "changed"): string => {
  const config = server.config({ token: CANARY });
  return server.kubeconfig(change(config), name);
};
/** What it is refused with, and every word of it, its causes included. */
async function refused(env: NodeJS.ProcessEnv) {
  const thrown = await loadKubeconfig(env).catch((error: unknown) => error);
  expect(inspect(thrown, { depth: 9 })).not.toContain(CANARY);
  return thrown;
}
const ask = async (user: object, signal = new AbortController().signal) =>
  clusterApi(await loadKubeconfig({ KUBECONFIG: server.kubeconfig(server.config(user)) }), signal).get(
    "/api/v1/namespaces/plant",
  );
const askedIn = (user: object, signal?: AbortSignal) => ask(user, signal).catch((error: unknown) => error);

describe("a kubeconfig", () => {
  it("is that of KUBECONFIG, or the one of the home", async () => {
    mkdirSync(at(".kube"));
    writeFileSync(at(".kube/config"), JSON.stringify({ ...server.config(), "current-context": "none" }));
    expect((await loadKubeconfig({ KUBECONFIG: server.kubeconfig(), HOME: server.folder })).currentContext).toBe(
      "plant",
    );
    expect(await refused({ HOME: server.folder })).toMatchObject({ path: at(".kube/config") });
  });

  it("may be several files, of which the first that says something is taken, as kubectl does", async () => {
    const other = with_((config) => {
      const [cluster] = config.clusters;
      return {
        ...{
          "current-context": "other",
          users: [],
          contexts: [{ name: "other", context: config.contexts[0]?.context }],
        },
        clusters: [{ name: "plant", cluster: { ...cluster?.cluster, server: "https://somewhere.else" } }],
      };
    }, "other");
    const silent = write("silent", JSON.stringify({ clusters: [], contexts: [], users: [] }));
    const files = [at("not-there"), silent, server.kubeconfig(), other].join(delimiter);
    const config = await loadKubeconfig({ KUBECONFIG: files });
    expect(config.getCurrentContext()).toBe("plant");
    expect(config.getCurrentCluster()?.server).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(config.getContexts().map(({ name }) => name)).toEqual(["plant", "other"]);
  });

  it.each<readonly [string, () => string, RegExp]>([
    ["is not there", () => at("nowhere"), /there is no kubeconfig ".*nowhere"/],
    ["is none of several", () => [at("one"), at("two")].join(delimiter), /no kubeconfig ".*one" or ".*two"/],
    ["is a folder", () => server.folder, /cannot read the kubeconfig ".*": EISDIR/],
    [
      "is no YAML",
      () => write("broken", `users:\n- name: anna\n  user:\n    token: "${CANARY}\n`),
      /: line 5 is not YAML/,
    ],
    [
      "has an alias of nothing",
      () => write("alias", `users:\n- name: anna\n  user: *${CANARY}\n`),
      /: line 3 is not YAML/,
    ],
    ["is empty", () => write("empty", ""), /it is no kubeconfig/],
    ["is a list", () => write("list", `- ${CANARY}`), /no context is current in .*; accepted: none is there/],
    [
      "has a cluster without a server",
      () => with_((c) => ({ ...c, clusters: [{ name: "x", cluster: {} }] })),
      /: clusters\[0\]\.cluster\.server is missing/,
    ],
    [
      "names a token's file that is not there",
      () => with_((c) => ({ ...c, users: [{ name: "anna", user: { "token-file": "/not/there" } }] })),
      /ENOENT.*\/not\/there/,
    ],
    [
      "has no current context",
      () => with_(({ "current-context": _, ...rest }) => rest),
      /no context is current in ".*"; accepted: plant$/,
    ],
    ["has an empty one", () => with_((c) => ({ ...c, "current-context": "" })), /no context is current/],
    [
      "has one that is none of its own",
      () => with_((c) => ({ ...c, "current-context": "mill" })),
      /there is no context "mill" in ".*"; accepted: plant$/,
    ],
    [
      "names a cluster that it has not",
      () => with_((c) => ({ ...c, clusters: [] })),
      /names the cluster "plant", which is not in .*; accepted: none/,
    ],
    [
      "names a user whom it has not",
      () => with_((c) => ({ ...c, users: [] })),
      /names the user "anna", who is not in .*; accepted: none/,
    ],
    [
      "has a server without TLS",
      () => with_((c) => ({ ...c, clusters: [{ name: "plant", cluster: { server: "http://10.0.0.1:8080" } }] })),
      /has the server "http:\/\/10\.0\.0\.1:8080"; accepted: an https URL/,
    ],
    [
      "has a server that is no URL",
      () => with_((c) => ({ ...c, clusters: [{ name: "plant", cluster: { server: "plant" } }] })),
      /accepted: an https URL/,
    ],
    [
      "does not verify its server",
      () =>
        with_((c) => ({
          ...c,
          clusters: [{ name: "plant", cluster: { ...c.clusters[0]?.cluster, "insecure-skip-tls-verify": true } }],
        })),
      /does not verify its API server/,
    ],
  ])("that %s is refused, without a word of what else is in it", async (_, file, message) => {
    const path = file();
    expect(await refused({ KUBECONFIG: path })).toMatchObject({
      ...{ code: "KUBECONFIG_INVALID", exit: 2, message: expect.stringMatching(message) },
      ...{ path: path.split(delimiter)[0], fix: expect.stringMatching(/KUBECONFIG|certificate-authority-data/) },
    });
  });
});

describe("a user of a kubeconfig", () => {
  const program = (name: string, text: string): object => {
    const command = write(name, `#!/bin/sh\n${text}\n`);
    chmodSync(command, 0o755);
    return { exec: { apiVersion: "client.authentication.k8s.io/v1", command, args: [CANARY] } };
  };
  const credential = (status: object) => JSON.stringify({ kind: "ExecCredential", status });

  it("may have a token, or a program that gives one", async () => {
    expect(await ask({ token: server.token })).toMatchObject({ kind: "Namespace" });
    expect(await ask(program("gives", `echo '${credential({ token: server.token })}'`))).toMatchObject({
      kind: "Namespace",
    });
  });

  it.each<readonly [string, () => object, RegExp]>([
    ["whose program fails", () => program("fails", `echo ${CANARY} >&2; exit 1`), /its program ".*fails" has failed$/],
    [
      "whose program prints something else",
      () => program("prints", `echo ${CANARY}`),
      /what its program ".*prints" prints is no ExecCredential$/,
    ],
    ["whose program prints no status", () => program("bare", "echo '{}'"), /is no ExecCredential$/],
    [
      "whose program is not there",
      () => ({ exec: { command: "/not/there" } }),
      /its program "\/not\/there" cannot be started \(ENOENT\)$/,
    ],
    [
      "whose certificate is not there",
      () => ({ "client-certificate": "/not/there.crt", "client-key": "/not/there.key" }),
      /"\/not\/there\.crt" cannot be read \(ENOENT\)$/,
    ],
  ])("%s is told by name, with nothing that was printed", async (_, user, message) => {
    const thrown = await askedIn(user());
    expect(thrown).toMatchObject({
      ...{ code: "CLUSTER_CREDENTIAL", exit: 3, path: at("config"), message: expect.stringMatching(message) },
      fix: expect.stringContaining("kubectl version"),
    });
    expect((thrown as Error).message).toMatch(/^the user "anna" has no credential: /);
    expect(inspect(thrown, { depth: 9 })).not.toContain(CANARY);
  });

  it("whose program waits for somebody is waited for until he gives up", async () => {
    const cancel = new AbortController();
    const asked = askedIn(program("waits", "exec sleep 5"), cancel.signal);
    setTimeout(() => cancel.abort(), 50);
    expect(await asked).toMatchObject({ code: "DEPLOY_CANCELLED", exit: 8 });
  });

  it.each([
    ["whom the cluster does not know", { token: CANARY }],
    ["who says nothing of himself", {}],
  ])("%s is told so, and not what he has not said", async (_, user) => {
    const thrown = await askedIn(user);
    expect(thrown).toMatchObject({
      ...{ code: "CLUSTER_DENIED", exit: 3, fix: expect.stringContaining("kubectl auth whoami") },
      message: "read /api/v1/namespaces/plant: the cluster does not know this user: Unauthorized",
    });
    expect(inspect(thrown)).not.toContain(CANARY);
  });
});

describe("an API server", () => {
  it("is verified whatever the environment says", async () => {
    const config = server.config();
    const [cluster] = config.clusters;
    const unknown = { ...config, clusters: [{ name: "plant", cluster: { server: cluster?.cluster.server } }] };
    const file = server.kubeconfig(unknown, "unknown");
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const heard = server.heard.length;
      const api = clusterApi(await loadKubeconfig({ KUBECONFIG: file }), new AbortController().signal);
      await expect(api.get("/api/v1/namespaces/plant")).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
      expect(server.heard).toHaveLength(heard);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
});
