import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { CHECKS, type CheckId } from "../../../operations/verify/checks.ts";
import { verifyDataCluster } from "../../../operations/verify/cluster/data/index.ts";
import type { CheckResult, Verification } from "../../../operations/verify/result.ts";
import { openForwards } from "../../../stacks/kubernetes/life/forwards.ts";
import { takeDown } from "../../support/cluster/down.ts";
import { bringUp, type Cluster } from "../../support/cluster/up.ts";
import { PROJECT, scratch } from "../../support/deployment.ts";
import { RunningSite } from "../../support/kubernetes-running.ts";
import { KubernetesSite } from "../../support/kubernetes-site.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects are read as anybody with kubectl could
type Loose = any;

const own = scratch("kubernetes-boundary");
// Stands for the authorities of the platform: somebody who listens.
const authorities = createServer((socket) => socket.on("error", () => undefined).end());
let cluster: Cluster;
let site: KubernetesSite;
let namespace: string;
let good: Verification;
let goodCode: number;

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
  const { host } = cluster.addresses;
  authorities.listen(0, host);
  await once(authorities, "listening");
  const { port } = authorities.address() as AddressInfo;
  const elsewhere = { host, port, addresses: [`${host}/32`] };
  site = new KubernetesSite(own.dir, cluster);
  await site.prepare((file) => ({
    ...file,
    kubernetes: { ...(file.kubernetes as object), external: { "gateways-ca": elsewhere, "operators-ca": elsewhere } },
  }));
  namespace = site.deployment.kubernetes.namespace;
  await site.must(["deploy", "--wait"]);
  ({ code: goodCode, report: good } = await verify());
}, 3_000_000);
afterAll(async () => {
  authorities.close();
  site?.stop();
  await takeDown(cluster.state);
  own.remove();
}, 200_000);

async function verify(...layers: readonly string[]): Promise<{ readonly code: number; readonly report: Verification }> {
  const chosen = layers.length === 0 ? [] : ["--layers", layers.join(",")];
  const { code, stdout, stderr } = await site.cli(["verify", "boundary", "--json", ...chosen]);
  if (stdout === "") throw new Error(stderr);
  return { code: code ?? -1, report: JSON.parse(stdout) };
}

function resultOf({ results }: Pick<Verification, "results">, id: CheckId): CheckResult {
  const found = results.find((result) => result.id === id);
  if (found === undefined) throw new Error(`no result of ${id}`);
  return found;
}

/** `CODE path: message` of every finding of a check. */
function foundBy(report: Pick<Verification, "results">, id: CheckId): readonly string[] {
  return resultOf(report, id).findings.map(({ code, path, message }) => `${code} ${path}: ${message}`);
}

async function kubectl(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(["--namespace", namespace, ...words], undefined, 150);
  if (code !== 0) throw new Error(`kubectl ${words.join(" ")}: ${stderr}`);
  return stdout;
}

async function apply(object: object): Promise<void> {
  const { code, stderr } = await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(object));
  if (code !== 0) throw new Error(stderr);
}

/** Changes a workload as somebody would with kubectl edit, and waits until its pods are new. */
async function edit(name: string, change: (spec: Loose) => void): Promise<void> {
  const live = JSON.parse(await kubectl("get", "statefulset", name, "-o", "json"));
  change(live.spec.template.spec);
  const patch = JSON.stringify({ spec: { template: { spec: live.spec.template.spec } } });
  await kubectl("patch", "statefulset", name, "--type", "merge", "--patch", patch);
  await kubectl("rollout", "status", "statefulset", name, "--timeout", "120s");
}

describe("a deployment as it was rendered, in a cluster that enforces no policy", () => {
  it("is proven as far as the cluster lets it be, and every other check says why not", () => {
    expect(good.results.map(({ id }) => id)).toEqual(Object.keys(CHECKS));
    const open = good.results.filter(({ outcome }) => outcome !== "proven");
    expect(Object.fromEntries(open.map(({ id, outcome }) => [id, outcome]))).toEqual({
      "running.flows": "not-proven",
      "running.refused": "broken",
      "running.listeners": "not-proven",
      "running.egress": "broken",
      "running.encryption": "not-proven",
      "data.gateway": "not-proven",
      "data.operations": "not-proven",
      "data.traffic": "not-proven",
    });
    expect(goodCode).toBe(5);
  });

  it.each<[CheckId, RegExp]>([
    ["running.flows", /-ca -> backend\.https begins elsewhere/],
    ["running.listeners", /prometheus-0: its image has no Node/],
    ["data.gateway", /gw-02, gw-03 run elsewhere, and the files there were not looked at/],
    ["data.operations", /prometheus-0: its image has no Node/],
    ["data.traffic", /PodSecurity restricted/],
  ])("%s is open for one reason alone", (id, why) => {
    const { seen, findings } = resultOf(good, id);
    expect(seen).toMatch(why);
    expect(findings).toEqual([]);
  });

  it("says loudly, and once, that nothing keeps pods apart, and what mends it", () => {
    const { findings } = resultOf(good, "running.refused");
    expect(findings.map(({ code }) => code)).toEqual(["RUNNING_POLICIES_UNENFORCED"]);
    expect(findings[0]?.fix).toContain("network plugin");
  });

  it("finds the API server and the node in reach of each pod", () => {
    const found = foundBy(good, "running.egress");
    // With both custodies.
    expect(found).toHaveLength(8);
    for (const one of found) expect(one).toMatch(/^RUNNING_EGRESS Pod\/.*the API server at .* a node at /);
  });
});

describe("evidence of what runs", () => {
  const file = (ending: string): string => join(own.dir, `evidence.${ending}`);
  let written: Loose;
  let predicate: Loose;

  beforeAll(async () => {
    const { code, stdout, stderr } = await site.cli(["evidence", "-o", file("json"), "--json"]);
    if (code !== 5) throw new Error(`evidence ended with ${code}: ${stderr}${stdout}`);
    written = JSON.parse(stdout);
    const { payload } = JSON.parse(readFileSync(file("json"), "utf8"));
    ({ predicate } = JSON.parse(Buffer.from(payload, "base64").toString()));
  }, 400_000);

  it("has what verify boundary found, and every fact of the cluster", async () => {
    expect(written.verdict).toBe("broken");
    const outcomes = (results: Loose) => results.map(({ id, outcome }: Loose) => `${id} ${outcome}`);
    expect(outcomes(predicate.verification.results)).toEqual(outcomes(good.results));
    const { gitVersion } = JSON.parse(await kubectl("get", "--raw", "/version"));
    expect(predicate).toMatchObject({
      schema: "trustkern.evidence/2",
      facts: {
        ...{ engine: "kubernetes", namespace, unknown: [] },
        versions: { kubernetes: gitVersion },
        keys: { sealed: false, verified: true, generations: [{ state: "active" }] },
        elsewhere: [{ component: "gateways-ca" }, { component: "operators-ca" }],
      },
    });
    const { operatorCertificates, operatorCertificatesOfBackend } = predicate.facts.administrators;
    // This run's own is in the ledger here; the backend has on record what was enrolled with it.
    expect(operatorCertificates).toContainEqual(expect.objectContaining({ subject: "op-admin" }));
    expect(operatorCertificatesOfBackend).toEqual([]);
    expect(predicate.facts.certificates.length).toBeGreaterThan(5);
  });

  it("has the digest of what the export prints", async () => {
    const { stdout } = await site.must(["export", "kubernetes"]);
    expect(predicate.facts.stack).toBe(createHash("sha256").update(stdout).digest("hex"));
  });

  it("verifies by its fingerprint, with its pages, and ends with the exit code of what was found", async () => {
    const verified = await site.cli([
      "evidence",
      "verify",
      file("json"),
      "--fingerprint",
      written.fingerprint,
      "--json",
    ]);
    expect(verified.code).toBe(5);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      ...{ ok: true, verdict: "broken", engine: "kubernetes", findings: [] },
      pages: [{ state: "as-signed" }, { state: "as-signed" }],
    });
  });

  it("is refused by another fingerprint, and when a byte was changed", async () => {
    const other = await site.cli(["evidence", "verify", file("json"), "--fingerprint", "0".repeat(64)]);
    expect(other.code).toBe(3);
    writeFileSync(
      join(own.dir, "edited.json"),
      readFileSync(file("json"), "utf8").replace('"payload":"e', '"payload":"f'),
    );
    const edited = await site.cli(["evidence", "verify", join(own.dir, "edited.json"), "--key", file("pub")]);
    expect([2, 3]).toContain(edited.code);
  });

  it("has a page that speaks of the cluster, and no key", () => {
    const texts = ["json", "html", "md"].map((ending) => readFileSync(file(ending), "utf8"));
    expect(texts[1]).toContain("Kubernetes, as its API server says");
    for (const text of texts) expect(text).not.toMatch(/PRIVATE KEY|eyJhbGciOi/);
  });
});

describe("what somebody has put beside the deployment", () => {
  let report: Verification;

  beforeAll(async () => {
    const meta = (name: string) => ({ name, namespace });
    await apply({
      ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: meta("open-all") },
      spec: { podSelector: {}, ingress: [{}], egress: [{}], policyTypes: ["Ingress", "Egress"] },
    });
    const broker = JSON.parse(await kubectl("get", "pod", "broker-0", "-o", "json"));
    const [container] = broker.spec.containers;
    await apply({
      ...{ apiVersion: "v1", kind: "Pod", metadata: meta("peek") },
      spec: {
        securityContext: broker.spec.securityContext,
        automountServiceAccountToken: false,
        volumes: [{ name: "keys", secret: { secretName: "custody" } }],
        containers: [
          {
            ...{ name: "peek", image: container.image, securityContext: container.securityContext },
            ...{ command: ["/usr/bin/node", "-e", "setInterval(() => {}, 1e6)"] },
            volumeMounts: [{ name: "keys", mountPath: "/keys" }],
          },
        ],
      },
    });
    const debug = [{ ...container, name: "debugger", command: ["/usr/bin/node", "-e", "setInterval(() => {}, 1e6)"] }];
    for (const each of debug)
      for (const gone of ["ports", "readinessProbe", "startupProbe", "resources", "volumeMounts"]) delete each[gone];
    const patch = JSON.stringify({ spec: { ephemeralContainers: debug } });
    await kubectl("patch", "pod", "broker-0", "--subresource", "ephemeralcontainers", "--patch", patch);
    await kubectl("wait", "--for=condition=Ready", "pod/peek", "--timeout=60s");
    ({ report } = await verify("rendered", "running"));
    await kubectl("delete", "pod", "peek", "broker-0", "--grace-period=5");
    await kubectl("delete", "networkpolicy", "open-all");
  }, 400_000);

  it.each<[what: string, id: CheckId, found: RegExp]>([
    ["a policy that opens all", "rendered.deployed", /^OBJECT_STRANGER NetworkPolicy\/open-all/],
    ["a policy that opens all", "running.components", /^RUNNING_STRANGER NetworkPolicy\/open-all/],
    ["a pod that sees custody's Secret", "rendered.deployed", /^OBJECT_STRANGER Pod\/peek/],
    ["a pod that sees custody's Secret", "running.components", /^RUNNING_STRANGER Pod\/peek/],
    ["a debugger in the broker's pod", "running.components", /^RUNNING_STRANGER Pod\/broker-0\.containers\.debugger/],
    ["a debugger in the broker's pod", "running.rights", /^RUNNING_RIGHT Pod\/broker-0\.spec\.ephemeralContainers/],
  ])("%s is found by %s", (_, id, found) => {
    expect(foundBy(report, id)).toContainEqual(expect.stringMatching(found));
    expect(resultOf(report, id).outcome).toBe("broken");
  });
});

describe("what somebody has changed in workloads", () => {
  let report: Verification;

  beforeAll(async () => {
    await kubectl("rollout", "status", "statefulset", "broker", "--timeout", "120s");
    await edit("gw-01", (spec) => {
      spec.volumes.push({ name: "peek", secret: { secretName: "custody" } });
      spec.containers[0].volumeMounts.push({ name: "peek", mountPath: "/peek", readOnly: true });
    });
    await edit("backend", (spec) => {
      spec.containers[0].image = spec.containers[0].image.replace(/@.*/, ":0.1.0");
      spec.containers[0].env = [{ name: "NODE_EXTRA_CA_CERTS", value: "/run/secrets/ca.crt" }];
    });
    const live = JSON.parse(await kubectl("get", "statefulset", "prometheus", "-o", "json"));
    const planned = live.spec.template.spec.volumes.find((one: Loose) => one.configMap).configMap.name;
    const map = JSON.parse(await kubectl("get", "configmap", planned, "-o", "json"));
    const data = Object.fromEntries(
      Object.entries<string>(map.data).map(([key, text]) => [key, text.replaceAll("TLS13", "TLS12")]),
    );
    expect(data).not.toEqual(map.data);
    await apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "prometheus-by-hand", namespace }, data });
    await edit("prometheus", (spec) => {
      spec.volumes.find((one: Loose) => one.configMap).configMap.name = "prometheus-by-hand";
    });
    ({ report } = await verify("rendered", "running"));
  }, 600_000);

  it.each<[what: string, id: CheckId, found: RegExp]>([
    ["a Secret of another", "rendered.deployed", /^OBJECT_MOUNT StatefulSet\/gw-01/],
    ["a Secret of another", "running.mounts", /^RUNNING_MOUNT Pod\/gw-01-0\.spec\.volumes.*peek/],
    ["an image by its tag", "rendered.deployed", /^OBJECT_IMAGE StatefulSet\/backend/],
    ["an image by its tag", "running.images", /^RUNNING_IMAGE Pod\/backend-0/],
    ["a variable", "running.environment", /^RUNNING_ENVIRONMENT Pod\/backend-0.*env/],
    [
      "a ConfigMap of another content",
      "running.mounts",
      /^RUNNING_MOUNT Pod\/prometheus-0\.spec\.volumes\[\d\]\.configMap\.name/,
    ],
    ["a port that speaks TLS 1.2", "running.tls.version", /^RUNNING_TLS_VERSION components\.prometheus\.ports\.https/],
  ])("%s is found by %s", (_, id, found) => {
    expect(foundBy(report, id)).toContainEqual(expect.stringMatching(found));
    expect(resultOf(report, id).outcome).toBe("broken");
  });

  it("is mended by a deploy, what was added to workloads and Services too", async () => {
    await kubectl("patch", "service", "backend", "--patch", '{"spec":{"externalIPs":["192.0.2.7"]}}');
    await kubectl("delete", "configmap", "prometheus-by-hand");
    await site.must(["deploy", "--wait"]);
    const { report: again } = await verify("rendered", "running");
    for (const id of ["rendered.deployed", "running.mounts", "running.environment", "running.tls.version"] as const)
      expect(foundBy(again, id)).toEqual([]);
    expect(JSON.parse(await kubectl("get", "service", "backend", "-o", "json")).spec).not.toHaveProperty("externalIPs");
  }, 600_000);
});

describe("a plaintext that leaks", () => {
  let results: readonly CheckResult[];
  let running: RunningSite;
  let plaintext = "";

  beforeAll(async () => {
    running = await RunningSite.open(site);
    const cluster = running.deployed;
    await using forwards = await openForwards(cluster);
    const write = (pod: string, path: string, text: string) =>
      kubectl(
        "exec",
        pod,
        "--",
        "/usr/bin/node",
        "-e",
        `require("fs").writeFileSync(${JSON.stringify(path)},${JSON.stringify(text)})`,
      );
    results = await verifyDataCluster({
      cluster,
      forwards,
      onSent: async ([marker]) => {
        plaintext = marker?.plaintext ?? "";
        const hidden = Buffer.from(plaintext).toString("base64");
        await write("broker-0", "/var/lib/trustkern/state/leak", plaintext);
        await write("gw-01-0", "/dev/shm/leak", hidden);
        await write("backend-0", "/var/lib/trustkern/state/leak", plaintext);
        await write("collector-0", "/proc/1/fd/1", `${plaintext}\n`);
        await apply({
          ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "leak", namespace } },
          stringData: { value: plaintext },
        });
        await sleep(1_000);
      },
    });
    await kubectl("delete", "secret", "leak");
  }, 400_000);
  afterAll(() => running?.close());

  it.each<[CheckId, RegExp]>([
    ["data.broker", /volumes\/broker\/state\/leak/],
    ["data.gateway", /gw-01-0:\/dev\/shm\/leak/],
    ["data.operations", /volumes\/backend\/state\/leak/],
    ["data.logs", /log of collector-0\/collector/],
    ["data.engine", /Secret\/leak/],
  ])("is found by %s, with its place and not its value", (id, place) => {
    expect(foundBy({ results }, id)).toContainEqual(expect.stringMatching(place));
    expect(JSON.stringify(results)).not.toContain(plaintext);
  });

  it("is stored once all the same, and in no metric", () => {
    expect(resultOf({ results }, "data.stored").outcome).toBe("proven");
    expect(resultOf({ results }, "data.metrics").outcome).toBe("proven");
  });
});
