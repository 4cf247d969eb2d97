import { describe, expect, it } from "vitest";
import { clusterDifferences } from "./differences.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { madePod } from "./test-pods.ts";

const test = tenantPlan();
const look = (cluster: TestCluster, how = {}) =>
  clusterDifferences({ api: cluster.api, plan: test.plan, model: test.model, options: test as never }, how);
const CUSTODY = "/api/v1/namespaces/plant/pods/custody-0";

// biome-ignore lint/suspicious/noExplicitAny: the changes reach into JSON as anybody with kubectl could
type Loose = any;

/** Every member of a pod by which it would run something else, or elsewhere, than was planned. */
const CHANGES: readonly (readonly [string, string, (spec: Loose) => void])[] = [
  ["command", "OBJECT_COMMAND", ({ containers: [one] }) => (one.command = ["/usr/bin/node", "-e", "0"])],
  ["args", "OBJECT_COMMAND", ({ containers: [one] }) => (one.args = ["--inspect"])],
  ["workingDir", "OBJECT_COMMAND", ({ containers: [one] }) => (one.workingDir = "/tmp")],
  [
    "env",
    "OBJECT_COMMAND",
    ({ containers: [one] }) => (one.env = [...(one.env ?? []), { name: "NODE_OPTIONS", value: "--require=/x.js" }]),
  ],
  ["envFrom", "OBJECT_COMMAND", ({ containers: [one] }) => (one.envFrom = [{ secretRef: { name: "custody" } }])],
  [
    "lifecycle",
    "OBJECT_COMMAND",
    ({ containers: [one] }) => (one.lifecycle = { postStart: { exec: { command: ["sh"] } } }),
  ],
  ["image", "OBJECT_IMAGE", ({ containers: [one] }) => (one.image = "registry.example/evil:1")],
  ["hostNetwork", "OBJECT_SECURITY", (spec) => (spec.hostNetwork = true)],
  ["hostPID", "OBJECT_SECURITY", (spec) => (spec.hostPID = true)],
  ["hostIPC", "OBJECT_SECURITY", (spec) => (spec.hostIPC = true)],
  [
    "hostAliases",
    "OBJECT_SECURITY",
    (spec) => (spec.hostAliases = [{ ip: "10.0.0.9", hostnames: ["vault.internal"] }]),
  ],
  ["shareProcessNamespace", "OBJECT_SECURITY", (spec) => (spec.shareProcessNamespace = true)],
  ["volumes", "OBJECT_MOUNT", (spec) => spec.volumes.push({ name: "node", hostPath: { path: "/" } })],
  [
    "volumeMounts",
    "OBJECT_MOUNT",
    ({ containers: [one] }) => one.volumeMounts.push({ name: one.volumeMounts[0].name, mountPath: "/elsewhere" }),
  ],
  ["securityContext", "OBJECT_SECURITY", ({ containers: [one] }) => (one.securityContext.privileged = true)],
  ["securityContext of the pod", "OBJECT_SECURITY", (spec) => (spec.securityContext.runAsUser = 0)],
  ["serviceAccountName", "OBJECT_TOKEN", (spec) => (spec.serviceAccountName = "backend")],
  ["automountServiceAccountToken", "OBJECT_TOKEN", (spec) => (spec.automountServiceAccountToken = true)],
  ["dnsConfig", "OBJECT_SERVICE", (spec) => (spec.dnsConfig = { nameservers: ["192.0.2.9"] })],
  ["runtimeClassName", "OBJECT_SECURITY", (spec) => (spec.runtimeClassName = "mine")],
  ["a container more", "OBJECT_STRANGER", (spec) => spec.containers.push({ name: "sidecar", image: "x" })],
  ["an init container", "OBJECT_STRANGER", (spec) => (spec.initContainers = [{ name: "first", image: "x" }])],
  ["an ephemeral container", "OBJECT_STRANGER", (spec) => (spec.ephemeralContainers = [{ name: "debug", image: "x" }])],
];

function changed(cluster: TestCluster, change: (spec: Loose) => void, more: object = {}): void {
  const pod: Loose = madePod(cluster, test.plan, "custody-0", more);
  change(pod.spec);
  cluster.put(pod);
}

describe("custody is not unsealed into a pod of which somebody has changed", () => {
  it.each(CHANGES)("%s", async (_, code, change) => {
    const cluster = deployedCluster(test);
    changed(cluster, change);
    const findings = await look(cluster, { replacing: true, unsealing: "custody-0" });
    expect(findings.map((one) => one.code)).toContain(code);
    for (const { path, fix } of findings) {
      expect(path).toMatch(/^Pod\/custody-0\./);
      expect(fix).toContain("kubectl delete pod custody-0 -n plant,");
    }
  });

  it.each(CHANGES)("%s, while it waits to be started, or has a year to end", async (_, code, change) => {
    for (const more of [{ status: { phase: "Pending" } }, { metadata: {}, status: { phase: "Unknown" } }]) {
      const cluster = deployedCluster(test);
      changed(cluster, change, more);
      expect((await look(cluster)).map((one) => one.code)).toContain(code);
    }
    const cluster = deployedCluster(test);
    changed(cluster, change);
    cluster.edit(CUSTODY, (live: Loose) => {
      live.metadata.deletionTimestamp = "2030-01-01T00:00:00Z";
    });
    expect((await look(cluster)).map((one) => one.code)).toContain(code);
    // Who unseals waits until it has ended: within no limit is it taken for well.
    await expect(look(cluster, { replacing: true })).rejects.toMatchObject({
      code: "CLUSTER_UNSETTLED",
      message: expect.stringContaining("Pod/custody-0: it still ends"),
    });
  });

  it("its labels, by which policies would take it for another", async () => {
    const cluster = deployedCluster(test);
    const pod: Loose = madePod(cluster, test.plan, "custody-0");
    pod.metadata.labels["trustkern.component"] = "backend";
    cluster.put(pod);
    expect((await look(cluster)).map((one) => one.code)).toContain("OBJECT_LABEL");
  });

  it("nothing, and it is as planned", async () => {
    const cluster = deployedCluster(test);
    changed(cluster, () => undefined);
    expect(await look(cluster, { replacing: true, unsealing: "custody-0" })).toEqual([]);
  });
});
