import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { manifestFiles } from "../../../stacks/kubernetes/manifests.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../../stacks/kubernetes/test-deployments.ts";
import { takeDown } from "../../support/cluster/down.ts";
import { bringUp, type Cluster } from "../../support/cluster/up.ts";
import { PROJECT, scratch } from "../../support/deployment.ts";
import { KubernetesSite } from "../../support/kubernetes-site.ts";

const own = scratch("cluster-export");
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

/** Kubernetes 1.34 says it of a default that it has filled in itself. */
const OF_EVERY_HEADLESS_SERVICE = "Warning: spec.SessionAffinity is ignored for headless services\n";

const STRICT = ["apply", "--server-side", "--dry-run=server", "--validate=strict"];

/** A folder with the export of one of the deployments that plans are tried with. */
function exported(name: keyof typeof KUBERNETES_FILES) {
  const { plan, deployment } = testPlan(deploymentOf(KUBERNETES_FILES[name]));
  const folder = join(own.dir, `export-${name}`);
  mkdirSync(folder);
  for (const [file, text] of Object.entries(manifestFiles(plan))) writeFileSync(join(folder, file), text);
  return { folder, namespace: deployment.kubernetes.namespace, objects: plan.objects };
}

describe("the export, as a dry run of the real API server that takes no field it does not know", () => {
  it.each(Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[])("is taken whole for %s", async (name) => {
    const { folder, namespace, objects } = exported(name);
    // Nothing can be tried in a namespace that is not there.
    expect(await cluster.kubectl(["create", "namespace", namespace])).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await cluster.kubectl([...STRICT, "-f", folder]);
    expect({ code, stderr: stderr.replaceAll(OF_EVERY_HEADLESS_SERVICE, "") }).toEqual({ code: 0, stderr: "" });
    expect(stdout.trim().split("\n")).toHaveLength(objects.length);
    expect(objects.length).toBeGreaterThan(40);
    await cluster.kubectl(["delete", "namespace", namespace]);
  });

  it("is refused with one member that nobody knows", async () => {
    const claim = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "one", namespace: "default" },
      tokens: [],
    };
    const { code, stderr } = await cluster.kubectl([...STRICT, "-f", "-"], JSON.stringify(claim));
    expect([code, stderr]).toEqual([1, expect.stringContaining(".tokens: field not declared in schema")]);
  });
});

describe("an export that somebody else applies", () => {
  it("is given its Secrets, waited for and opened by a deploy that applies nothing of it", async () => {
    const folder = join(own.dir, "manifests");
    await site.must(["export", "kubernetes", "-o", folder]);
    const deployed = site.cli(["deploy", "--applied-elsewhere", "--wait", "--json"]);
    const applied = await cluster.kubectl(["apply", "--server-side", "--field-manager=argocd", "-f", folder]);
    expect(applied).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await deployed;
    expect(code, `${stderr}${stdout}`).toBe(0);
    const secrets = Object.values(JSON.parse((await site.must(["export", "kubernetes", "--json"])).stdout).secrets);
    expect(JSON.parse(stdout)).toMatchObject({ healthy: true, changed: secrets.length });
    const { stdout: managers } = await cluster.kubectl([
      ...[
        "get",
        "statefulset,networkpolicy,service",
        "-n",
        site.deployment.kubernetes.namespace,
        "--show-managed-fields",
      ],
      ...["-o", "jsonpath={.items[*].metadata.managedFields[*].manager}"],
    ]);
    expect(managers).toContain("argocd");
    expect(managers).not.toContain("trustkern");
    expect((await site.cli(["status"])).code).toBe(0);
  }, 400_000);

  it("has no Secret, and no byte of one in any of its files", () => {
    const read = (folder: string) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), "utf8").trim()] as const);
    const exported = read(join(own.dir, "manifests"));
    expect(exported.length).toBeGreaterThan(30);
    for (const [, text] of exported) expect(parse(text).kind).not.toBe("Secret");
    const secrets = read(join(own.dir, ".trustkern", "secrets")).filter(
      ([name, text]) => !/\.(?:crt|crl|pub)$/.test(name) && !text.startsWith("-----BEGIN CERTIFICATE"),
    );
    expect(secrets.map(([name]) => name)).toEqual(expect.arrayContaining(["tls.key", "owner.password"]));
    // Of a key in PEM its second line, which no other file has.
    const bytes = secrets.map(([, text]) => (text.startsWith("-----BEGIN") ? (text.split("\n")[1] ?? "") : text));
    for (const secret of bytes.filter((each) => each.length >= 12)) {
      const encoded = Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -1);
      for (const [, text] of exported) {
        expect(text.includes(secret)).toBe(false);
        expect(text.includes(encoded)).toBe(false);
      }
    }
  });

  it("is waited for no longer than was said, with what is to be done", async () => {
    const { namespace } = site.deployment.kubernetes;
    await cluster.kubectl(["delete", "namespace", namespace], undefined, 150);
    const gone = await site.cli(["deploy", "--applied-elsewhere", "--timeout", "2", "--json"]);
    expect([gone.code, JSON.parse(gone.stdout).error]).toMatchObject([4, { code: "CLUSTER_OTHER" }]);
    rmSync(JSON.parse(gone.stdout).error.path);
    const { code, stdout } = await site.cli(["deploy", "--applied-elsewhere", "--timeout", "2", "--json"]);
    expect([code, JSON.parse(stdout).error]).toMatchObject([
      9,
      { code: "WORKLOAD_TIMEOUT", message: `nobody has made the namespace "${namespace}"` },
    ]);
  }, 200_000);
});
