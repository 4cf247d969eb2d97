import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOCK_FILE } from "../../../operations/images/lock-file.ts";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { takeDown } from "../../support/cluster/down.ts";
import { bringUp, type Cluster } from "../../support/cluster/up.ts";
import { CutProxy } from "../../support/cut-proxy.ts";
import { PROJECT, scratch } from "../../support/deployment.ts";
import { KubernetesSite } from "../../support/kubernetes-site.ts";

const own = scratch("cluster-faults");
let cluster: Cluster;
let site: KubernetesSite;
beforeAll(async () => {
  cluster = await bringUp({
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    state: join(own.dir, "cluster"),
    clock: () => new Date(),
  });
  site = new KubernetesSite(own.dir, cluster);
  await site.prepare();
}, 3_000_000);
afterAll(async () => {
  await site?.stop();
  await takeDown(cluster.state);
  own.remove();
}, 200_000);

/** Runs kubectl, and fails with what it said when it does not end with exit code 0. */
async function kubectl(args: readonly string[], input?: object): Promise<string> {
  const text = input === undefined ? undefined : JSON.stringify(input);
  const { code, stdout, stderr } = await cluster.kubectl(args, text);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Code, message and exit code of a command that fails. */
async function failure(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await site.cli([...args, "--json"], { env });
  expect(stdout, stderr).toContain('"error"');
  return {
    exit: code,
    ...(JSON.parse(stdout) as { error: { code: string; path: string; message: string; fix: string } }).error,
  };
}

/** A kubeconfig like the administrator's, with something else in it. */
function kubeconfig(name: string, change: (config: Kubeconfig) => void): string {
  const config = JSON.parse(readFileSync(cluster.kubeconfig, "utf8")) as Kubeconfig;
  change(config);
  const file = join(own.dir, name);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

interface Kubeconfig {
  "current-context": string;
  readonly clusters: { cluster: Record<string, unknown> }[];
  readonly users: { user: Record<string, unknown> }[];
}

const namespaces = async () => (await kubectl(["get", "namespaces", "-o", "name"])).trim().split("\n");

describe("a deploy to a cluster is refused, with nothing applied, where", () => {
  it.each<readonly [string, () => string, RegExp]>([
    ["there is no kubeconfig", () => join(own.dir, "nowhere"), /there is no kubeconfig/],
    [
      "no context is current",
      () => kubeconfig("none", (config) => (config["current-context"] = "")),
      /no context is current/,
    ],
    [
      "the context is none",
      () => kubeconfig("else", (config) => (config["current-context"] = "other")),
      /no context "other"/,
    ],
    [
      "the API server is not verified",
      () =>
        kubeconfig("unverified", ({ clusters: [first] }) =>
          Object.assign(first?.cluster ?? {}, {
            "insecure-skip-tls-verify": true,
            "certificate-authority-data": undefined,
          }),
        ),
      /does not verify its API server/,
    ],
  ])("%s", async (_, file, message) => {
    expect(await failure(["deploy"], { KUBECONFIG: file() })).toMatchObject({
      ...{ exit: 2, code: "KUBECONFIG_INVALID" },
      message: expect.stringMatching(message),
    });
  });

  it("nobody answers", async () => {
    const file = kubeconfig("away", ({ clusters: [first] }) =>
      Object.assign(first?.cluster ?? {}, { server: "https://127.0.0.1:1" }),
    );
    expect(await failure(["deploy"], { KUBECONFIG: file })).toMatchObject({ exit: 4, code: "CLUSTER_UNREACHABLE" });
  });

  it("the user may look and not touch, with all that is missing", async () => {
    await kubectl(["create", "serviceaccount", "viewer", "-n", "default"]);
    await kubectl(["create", "clusterrolebinding", "viewer", "--clusterrole=view", "--serviceaccount=default:viewer"]);
    const token = (await kubectl(["create", "token", "viewer", "-n", "default"])).trim();
    const file = kubeconfig("viewer", ({ users: [first] }) => {
      if (first !== undefined) first.user = { token };
    });
    const refused = await failure(["deploy"], { KUBECONFIG: file });
    expect(refused).toMatchObject({ exit: 3, code: "CLUSTER_DENIED" });
    expect(refused.message).toMatch(
      /patch, create namespaces; .*secrets.*create pods\/exec.*networkpolicies\.networking/,
    );
    expect(JSON.stringify(refused)).not.toContain(token);
  });

  it("the namespace is somebody else's, which stays as it is", async () => {
    await kubectl(["create", "namespace", "theirs"]);
    site.write((file) => ({ ...file, kubernetes: { ...(file.kubernetes as object), namespace: "theirs" } }));
    const before = await kubectl(["get", "namespace", "theirs", "-o", "json"]);
    expect(await failure(["deploy"])).toMatchObject({ exit: 4, code: "NAMESPACE_FOREIGN" });
    expect(await kubectl(["get", "namespace", "theirs", "-o", "json"])).toBe(before);
  });

  it("its storage class is not there, with those that are", async () => {
    site.write((file) => ({ ...file, kubernetes: { ...(file.kubernetes as object), storageClass: "gold" } }));
    const refused = await failure(["deploy"]);
    expect(refused).toMatchObject({ exit: 4, code: "STORAGE_CLASS_MISSING" });
    expect(refused.message).toBe('there is no storage class "gold"; accepted: local');
  });

  it("all nodes together are too small", async () => {
    const big = { collector: { min: 20, max: 20 } };
    site.write((file) => ({ ...file, kubernetes: { ...(file.kubernetes as object), ...big } }));
    expect(await failure(["deploy"])).toMatchObject({ exit: 4, code: "CLUSTER_QUOTA" });
  });

  afterAll(async () => {
    site.write((file) => file);
    expect(await namespaces()).not.toContain("namespace/plant-north");
  });
});

describe("a deploy that does not get to its end", () => {
  it("names the claims that no volume was made for, and what the cluster says of it", async () => {
    await kubectl(["apply", "-f", "-"], {
      ...{ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "never" } },
      provisioner: "nobody.example/none",
    });
    site.write((file) => ({ ...file, kubernetes: { ...(file.kubernetes as object), storageClass: "never" } }));
    const refused = await failure(["deploy", "--wait", "--timeout", "15"]);
    expect(refused).toMatchObject({ exit: 4, code: "VOLUME_UNBOUND" });
    expect(refused.message).toMatch(/volume-custody-keys-custody-0.*nobody\.example/s);
    await site.must(["destroy", "--yes"]);
    await kubectl(["delete", "namespace", site.deployment.kubernetes.namespace]);
    site.write((file) => file);
    // The namespace is gone for good, which nobody but who has deleted it can say.
    const gone = await failure(["deploy", "--wait"]);
    expect(gone).toMatchObject({ exit: 4, code: "CLUSTER_OTHER" });
    rmSync(gone.path);
  }, 300_000);

  it.each([100, 500])(
    "converges with the next one when the API server goes away %i ms after something new was applied",
    async (ms) => {
      const { stdout } = await cutAfter(async (before) => {
        await expect.poll(applied, { timeout: 60_000, interval: 20 }).toBeGreaterThan(before);
        await sleep(ms);
      });
      expect(JSON.parse(stdout).error).toMatchObject({ code: "CLUSTER_UNREACHABLE" });
      const planned = JSON.parse((await site.must(["plan", "--json"])).stdout);
      // It was cut in the middle, and nothing but what was missing is to be made.
      expect(planned.changes.length).toBeGreaterThan(0);
      expect(planned.changes.filter(({ action }: { action: string }) => action !== "create")).toEqual([]);
    },
    200_000,
  );

  it("is told that the API server went away while pods were waited for", async () => {
    const { stdout } = await cutAfter(async () => {
      await expect
        .poll(async () => (await site.cli(["plan", "--detailed-exitcode"])).code, { timeout: 60_000 })
        .toBe(0);
    });
    expect(JSON.parse(stdout).error.code).toMatch(/^(CLUSTER|GRPC)_UNREACHABLE$/);
  }, 300_000);

  it("is done by the next one, and there is nothing to do for the one after it", async () => {
    expect(JSON.parse((await site.must(["deploy", "--wait", "--json"])).stdout)).toMatchObject({ healthy: true });
    expect(JSON.parse((await site.must(["deploy", "--wait", "--json"])).stdout)).toMatchObject({ changed: 0 });
    expect((await site.cli(["plan", "--detailed-exitcode"])).code).toBe(0);
    expect((await site.cli(["status"])).code).toBe(0);
  }, 400_000);
});

/** Deploys over a way to the API server that is cut when `moment` has come. */
async function cutAfter(moment: (before: number) => Promise<unknown>) {
  const proxy = await CutProxy.start(new URL(serverOf()));
  const file = kubeconfig("proxied", ({ clusters: [first] }) =>
    Object.assign(first?.cluster ?? {}, { server: proxy.address, "tls-server-name": "kubernetes.default.svc" }),
  );
  const before = await applied();
  const ended = site.cli(["deploy", "--wait", "--timeout", "20", "--json"], { env: { KUBECONFIG: file } });
  await moment(before);
  proxy.cut();
  const { code, stdout } = await ended;
  expect(code, stdout).toBe(4);
  return { stdout };
}

/** Address of the API server. */
function serverOf(): string {
  const { clusters } = JSON.parse(readFileSync(cluster.kubeconfig, "utf8")) as Kubeconfig;
  return String(clusters[0]?.cluster.server);
}

/** How many objects the namespace has, of the kinds that are applied first. */
async function applied(): Promise<number> {
  const { stdout } = await cluster.kubectl([
    "get",
    "serviceaccounts,networkpolicies,configmaps,secrets,services,statefulsets",
    "-n",
    "plant-north",
    "-o",
    "name",
  ]);
  return stdout.split("\n").length;
}

const lockText = () => readFileSync(join(own.dir, LOCK_FILE), "utf8");

interface Pod {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly phase: string };
}

describe("what was changed by hand", () => {
  it("is seen, keeps custody sealed, and is put back by a deploy", async () => {
    const namespace = site.deployment.kubernetes.namespace;
    await kubectl(["apply", "-f", "-"], {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "open", namespace } },
      spec: { podSelector: {}, ingress: [{}], egress: [{}], policyTypes: ["Ingress", "Egress"] },
    });
    const { code, stdout } = await site.cli(["status", "--json"]);
    expect([code, JSON.parse(stdout).drift]).toEqual([
      1,
      ["NetworkPolicy/open: is in the namespace, and nothing of the deployment"],
    ]);
    await site.must(["keys", "seal", "--yes"]);
    expect(await failure(["keys", "unseal"])).toMatchObject({ exit: 5, code: "CUSTODY_START_REFUSED" });
    await kubectl(["delete", "networkpolicy", "open", "-n", namespace]);
    await kubectl(["label", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged", "--overwrite"]);
    expect(await failure(["keys", "unseal"])).toMatchObject({ exit: 5, code: "CUSTODY_START_REFUSED" });
    expect(JSON.parse((await site.must(["deploy", "--wait", "--json"])).stdout)).toMatchObject({ changed: 1 });
    expect(JSON.parse((await site.must(["status", "--json"])).stdout)).toMatchObject({
      ok: true,
      custody: { sealed: false },
    });
  }, 200_000);

  it("hinders no update: not a custody of the version before that is sealed, and not a number of collectors", async () => {
    const { namespace } = site.deployment.kubernetes;
    const podsOf = async (component: string): Promise<readonly Pod[]> => {
      const selector = `trustkern.component=${component}`;
      return JSON.parse(await kubectl(["get", "pods", "-n", namespace, "-l", selector, "-o", "json"])).items;
    };
    const before = await podsOf("custody");
    expect(before).toHaveLength(2);
    await kubectl(["delete", "pods", "-n", namespace, "-l", "trustkern.component=custody"]);
    await expect
      .poll(async () => (await podsOf("custody")).map(({ status }) => status.phase), { timeout: 60_000 })
      .toEqual(["Running", "Running"]);
    await site.giveImages("0.1.0-next");
    site.write((file) => {
      const kubernetes = file.kubernetes as object;
      return { ...file, kubernetes: { ...kubernetes, collector: { min: 2, max: 3 } } };
    });
    const collectors = async (): Promise<unknown> =>
      JSON.parse(await kubectl(["get", "statefulset", "collector", "-n", namespace, "-o", "json"])).spec.replicas;
    const seen = new Set([await collectors()]);
    const looking = setInterval(() => void collectors().then((now) => seen.add(now)), 500);
    await site.must(["deploy", "--wait"]);
    clearInterval(looking);
    expect([...seen]).toEqual([2]);
    const after = [...(await podsOf("custody")), ...(await podsOf("collector"))];
    expect(after).toHaveLength(4);
    for (const { spec } of after)
      for (const { image } of spec.containers) expect(lockText()).toContain(image.split("@")[1]);
    expect(JSON.parse((await site.must(["status", "--json"])).stdout)).toMatchObject({
      ok: true,
      custody: { sealed: false },
    });
  }, 600_000);

  it("is removed with the deployment, which keeps what was stored unless it is told not to", async () => {
    await site.must(["destroy", "--yes"]);
    const { namespace } = site.deployment.kubernetes;
    expect((await kubectl(["get", "pods", "-n", namespace, "-o", "name"])).trim()).toBe("");
    expect(await kubectl(["get", "pvc", "-n", namespace, "-o", "name"])).toContain("volume-data-database-0");
    await site.must(["deploy", "--wait"]);
    await site.must(["destroy", "--volumes", "--yes"]);
    expect(await namespaces()).not.toContain(`namespace/${namespace}`);
  }, 400_000);
});
