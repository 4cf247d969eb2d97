import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../test-deployments.ts";
import type { ObjectCode } from "./differences.ts";
import { checkRendered } from "./index.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into objects as anybody with an editor could
type Loose = any;

const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];
const TESTS = Object.fromEntries(
  PROFILES.map((profile) => [profile, testPlan(deploymentOf(KUBERNETES_FILES[profile]))]),
) as Record<(typeof PROFILES)[number], ReturnType<typeof testPlan>>;
const hosted = TESTS["eu-hosted"];
const fresh = (): Loose[] => structuredClone(hosted.plan.objects) as Loose[];

it.each(PROFILES)("finds nothing in the objects of profile %s, nor in what was written and read", (profile) => {
  const test = TESTS[profile];
  expect(checkRendered(test.plan.objects, test)).toEqual([]);
  expect(checkRendered(JSON.parse(JSON.stringify(test.plan.objects)), test)).toEqual([]);
});

const get = (objects: Loose[], kind: string, name: string) =>
  objects.find((object) => object.kind === kind && object.metadata.name.startsWith(name));
const workload = (objects: Loose[], name = "collector") => get(objects, "StatefulSet", name);
const pod = (objects: Loose[], name = "collector") => workload(objects, name).spec.template.spec;
const box = (objects: Loose[], name = "collector", index = 0) => pod(objects, name).containers[index];
const volume = (objects: Loose[], name: string, what: string) =>
  pod(objects, name).volumes.find((each: Loose) => each.name.includes(what));
const policy = (objects: Loose[], name: string) => get(objects, "NetworkPolicy", name);
const remove = (objects: Loose[], kind: string, name: string) => {
  expect(get(objects, kind, name), `${kind} ${name}`).toBeDefined();
  objects.splice(objects.indexOf(get(objects, kind, name)), 1);
};
const KEY = ["-----BEGIN", "PRIVATE KEY-----"].join(" ");

const WEAKENINGS: readonly (readonly [string, ObjectCode, (objects: Loose[]) => unknown])[] = [
  ["a privileged container", "OBJECT_SECURITY", (o) => (box(o).securityContext.privileged = true)],
  ["privileges that may grow", "OBJECT_SECURITY", (o) => (box(o).securityContext.allowPrivilegeEscalation = true)],
  [
    "privileges of which nothing is said",
    "OBJECT_SECURITY",
    (o) => delete box(o).securityContext.allowPrivilegeEscalation,
  ],
  ["root", "OBJECT_SECURITY", (o) => (box(o).securityContext.runAsUser = 0)],
  ["root for the pod", "OBJECT_SECURITY", (o) => (pod(o).securityContext.runAsUser = 0)],
  ["any user", "OBJECT_SECURITY", (o) => delete pod(o).securityContext.runAsNonRoot],
  ["a further group", "OBJECT_SECURITY", (o) => (pod(o).securityContext.supplementalGroups = [0])],
  [
    "a kernel parameter",
    "OBJECT_SECURITY",
    (o) => (pod(o).securityContext.sysctls = [{ name: "net.ipv4.ip_forward", value: "1" }]),
  ],
  ["a capability", "OBJECT_SECURITY", (o) => (box(o).securityContext.capabilities.add = ["NET_ADMIN"])],
  ["capabilities that are kept", "OBJECT_SECURITY", (o) => delete box(o).securityContext.capabilities],
  ["no seccomp", "OBJECT_SECURITY", (o) => (pod(o).securityContext.seccompProfile.type = "Unconfined")],
  ["a root that may be written", "OBJECT_SECURITY", (o) => (box(o).securityContext.readOnlyRootFilesystem = false)],
  ["the node's network", "OBJECT_SECURITY", (o) => (pod(o).hostNetwork = true)],
  ["the node's processes", "OBJECT_SECURITY", (o) => (pod(o).hostPID = true)],
  ["the node's memory", "OBJECT_SECURITY", (o) => (pod(o).hostIPC = true)],
  [
    "names of its own making",
    "OBJECT_SECURITY",
    (o) => (pod(o).hostAliases = [{ ip: "1.2.3.4", hostnames: ["broker"] }]),
  ],
  ["processes that see each other", "OBJECT_SECURITY", (o) => (pod(o, "custody").shareProcessNamespace = true)],
  ["another runtime", "OBJECT_SECURITY", (o) => (pod(o).runtimeClassName = "none")],
  [
    "PodSecurity baseline",
    "OBJECT_SECURITY",
    (o) => (o[0].metadata.labels["pod-security.kubernetes.io/enforce"] = "baseline"),
  ],
  [
    "PodSecurity of nothing",
    "OBJECT_SECURITY",
    (o) => delete o[0].metadata.labels["pod-security.kubernetes.io/enforce"],
  ],
  [
    "PodSecurity of an old version",
    "OBJECT_SECURITY",
    (o) => (o[0].metadata.labels["pod-security.kubernetes.io/enforce-version"] = "v1.20"),
  ],
  ["a token", "OBJECT_TOKEN", (o) => (pod(o).automountServiceAccountToken = true)],
  ["a token of which nothing is said", "OBJECT_TOKEN", (o) => delete pod(o).automountServiceAccountToken],
  [
    "a token by its account",
    "OBJECT_TOKEN",
    (o) => (get(o, "ServiceAccount", "collector").automountServiceAccountToken = true),
  ],
  ["another's account", "OBJECT_TOKEN", (o) => (pod(o).serviceAccountName = "custody")],
  [
    "a secret by an account",
    "OBJECT_TOKEN",
    (o) => (get(o, "ServiceAccount", "collector").secrets = [{ name: "custody" }]),
  ],
  [
    "a token as a volume",
    "OBJECT_MOUNT",
    (o) => pod(o).volumes.push({ name: "token", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }),
  ],
  ["a folder of the node", "OBJECT_MOUNT", (o) => pod(o).volumes.push({ name: "host", hostPath: { path: "/" } })],
  [
    "a folder of the node in place of a volume",
    "OBJECT_MOUNT",
    (o) => (volume(o, "custody", "socket-custody-kem").hostPath = { path: "/run" }),
  ],
  [
    "a server's folder",
    "OBJECT_MOUNT",
    (o) => pod(o).volumes.push({ name: "nfs", nfs: { server: "1.2.3.4", path: "/" } }),
  ],
  ["another's secret", "OBJECT_MOUNT", (o) => (volume(o, "collector", "secrets").secret.secretName = "database")],
  ["one secret more", "OBJECT_MOUNT", (o) => pod(o).volumes.push({ name: "more", secret: { secretName: "custody" } })],
  ["secrets for everybody", "OBJECT_MOUNT", (o) => (volume(o, "collector", "secrets").secret.defaultMode = 0o444)],
  [
    "secrets that may be written",
    "OBJECT_MOUNT",
    (o) => delete box(o).volumeMounts.find((m: Loose) => m.name === "secrets").readOnly,
  ],
  [
    "custody's manage socket for its broker",
    "OBJECT_MOUNT",
    (o) => box(o, "custody", 1).volumeMounts.push({ name: "socket-custody-manage", mountPath: "/run/m" }),
  ],
  [
    "custody's keys for its broker",
    "OBJECT_MOUNT",
    (o) => box(o, "custody", 1).volumeMounts.push({ name: "volume-custody-keys", mountPath: "/k" }),
  ],
  ["a socket on a disk", "OBJECT_MOUNT", (o) => delete volume(o, "custody", "socket-custody-kem").emptyDir.medium],
  [
    "memory without a bound",
    "OBJECT_MOUNT",
    (o) => delete volume(o, "custody", "socket-custody-kem").emptyDir.sizeLimit,
  ],
  [
    "another class of storage",
    "OBJECT_MOUNT",
    (o) => (workload(o, "custody").spec.volumeClaimTemplates[0].spec.storageClassName = "public"),
  ],
  [
    "a claim that many may write",
    "OBJECT_MOUNT",
    (o) => (workload(o, "custody").spec.volumeClaimTemplates[0].spec.accessModes = ["ReadWriteMany"]),
  ],
  ["another's configuration", "OBJECT_MOUNT", (o) => (volume(o, "collector", "config").configMap.name = "broker")],
  ["the tag latest", "OBJECT_IMAGE", (o) => (box(o).image = "registry.example:5000/collector:latest")],
  ["a tag instead of a digest", "OBJECT_IMAGE", (o) => (box(o).image = "registry.example:5000/collector:1.0.0")],
  [
    "an image from elsewhere",
    "OBJECT_IMAGE",
    (o) => (box(o).image = box(o).image.replace("registry.example", "evil.example")),
  ],
  ["an image that is taken from the node", "OBJECT_IMAGE", (o) => (box(o).imagePullPolicy = "Never")],
  ["no limits", "OBJECT_LIMIT", (o) => delete box(o).resources.limits],
  ["no limit of memory", "OBJECT_LIMIT", (o) => delete box(o).resources.limits.memory],
  ["more memory", "OBJECT_LIMIT", (o) => (box(o).resources.limits.memory = "64Gi")],
  ["a device of the node", "OBJECT_LIMIT", (o) => (box(o).resources.limits["vendor.example/gpu"] = 1)],
  ["less than is needed", "OBJECT_LIMIT", (o) => (box(o).resources.requests.cpu = "1m")],
  ["another program", "OBJECT_COMMAND", (o) => (box(o).command = ["/bin/sh", "-c", "cat /run/secrets/*"])],
  ["a further argument", "OBJECT_COMMAND", (o) => (box(o).args = ["--inspect"])],
  ["a variable", "OBJECT_COMMAND", (o) => (box(o).env = [{ name: "NODE_OPTIONS", value: "--inspect" }])],
  ["variables of a secret", "OBJECT_COMMAND", (o) => (box(o).envFrom = [{ secretRef: { name: "custody" } }])],
  ["a program before it", "OBJECT_COMMAND", (o) => (pod(o).initContainers = [structuredClone(box(o))])],
  ["a program at its end", "OBJECT_COMMAND", (o) => (box(o).lifecycle = { preStop: { exec: { command: ["/x"] } } })],
  ["a container more", "OBJECT_MEMBER", (o) => pod(o).containers.push({ ...box(o), name: "more" })],
  ["no readiness", "OBJECT_HEALTH", (o) => delete box(o).readinessProbe],
  ["a readiness that says nothing", "OBJECT_HEALTH", (o) => (box(o).readinessProbe.exec.command = ["/bin/true"])],
  [
    "a readiness that is an open port alone",
    "OBJECT_HEALTH",
    (o) => (box(o).readinessProbe = { ...box(o).readinessProbe, exec: undefined, tcpSocket: { port: 9464 } }),
  ],
  ["a StatefulSet of another's service", "OBJECT_MEMBER", (o) => (workload(o, "custody").spec.serviceName = "custody")],
  ["a StatefulSet of no service", "OBJECT_MEMBER", (o) => delete workload(o, "custody").spec.serviceName],
  [
    "an end for who waits",
    "OBJECT_HEALTH",
    (o) => (box(o, "custody").livenessProbe = box(o, "custody").readinessProbe),
  ],
  ["a way into the container's port from the node", "OBJECT_SERVICE", (o) => (box(o).ports[0].hostPort = 9464)],
  ["a resolver of somebody's", "OBJECT_SERVICE", (o) => (pod(o).dnsConfig = { nameservers: ["8.8.8.8"] })],
  ["a service for everybody", "OBJECT_SERVICE", (o) => (get(o, "Service", "database").spec.type = "NodePort")],
  [
    "a service at an address of the cluster's edge",
    "OBJECT_SERVICE",
    (o) => (get(o, "Service", "database").spec.externalIPs = ["192.0.2.1"]),
  ],
  [
    "a service that leads elsewhere",
    "OBJECT_SERVICE",
    (o) => (get(o, "Service", "broker").spec.selector["trustkern.component"] = "gw-01"),
  ],
  [
    "a service with a port more",
    "OBJECT_SERVICE",
    (o) => get(o, "Service", "backend-published").spec.ports.push({ name: "metrics", port: 9464 }),
  ],
  [
    "a load balancer for everybody",
    "OBJECT_SERVICE",
    (o) => delete get(o, "Service", "broker-published").spec.loadBalancerSourceRanges,
  ],
  ["no default deny", "OBJECT_POLICY", (o) => remove(o, "NetworkPolicy", "default-deny")],
  [
    "a default deny of one direction",
    "OBJECT_POLICY",
    (o) => (policy(o, "default-deny").spec.policyTypes = ["Ingress"]),
  ],
  [
    "a default deny of some",
    "OBJECT_POLICY",
    (o) => (policy(o, "default-deny").spec.podSelector = { matchLabels: { app: "x" } }),
  ],
  ["a default that lets in", "OBJECT_POLICY", (o) => (policy(o, "default-deny").spec.ingress = [{}])],
  [
    "an egress more",
    "OBJECT_POLICY",
    (o) => o.push({ ...structuredClone(policy(o, "collector.dns")), metadata: { name: "more", namespace: "tk-demo" } }),
  ],
  [
    "an egress to everywhere",
    "OBJECT_POLICY",
    (o) => delete policy(o, "collector.backend.https.egress").spec.egress[0].to,
  ],
  [
    "an egress to no peers, which is all",
    "OBJECT_POLICY",
    (o) => (policy(o, "collector.backend.https.egress").spec.egress[0].to = []),
  ],
  [
    "an egress to every port",
    "OBJECT_POLICY",
    (o) => delete policy(o, "collector.backend.https.egress").spec.egress[0].ports,
  ],
  [
    "a policy that is shared",
    "OBJECT_POLICY",
    (o) => (policy(o, "collector.backend.https.egress").spec.podSelector = {}),
  ],
  [
    "a peer more",
    "OBJECT_POLICY",
    (o) => policy(o, "collector.database.postgres.ingress").spec.ingress[0].from.push({ podSelector: {} }),
  ],
  [
    "the pods of every namespace",
    "OBJECT_POLICY",
    (o) => (policy(o, "collector.database.postgres.ingress").spec.ingress[0].from[0].namespaceSelector = {}),
  ],
  ["any resolver", "OBJECT_POLICY", (o) => delete policy(o, "collector.dns").spec.egress[0].to[0].podSelector],
  [
    "a resolver in a larger network than was said",
    "OBJECT_POLICY",
    (o) => (policy(o, "collector.dns").spec.egress[0].to[1].ipBlock.cidr = "169.254.0.0/16"),
  ],
  [
    "a resolver more",
    "OBJECT_POLICY",
    (o) => policy(o, "collector.dns").spec.egress[0].to.push({ ipBlock: { cidr: "8.8.8.8/32" } }),
  ],
  [
    "a resolver of every namespace",
    "OBJECT_POLICY",
    (o) => (policy(o, "collector.dns").spec.egress[0].to[0].namespaceSelector = {}),
  ],
  [
    "another port of the resolver",
    "OBJECT_POLICY",
    (o) => (policy(o, "collector.dns").spec.egress[0].ports[1].port = 80),
  ],
  ["every port of the resolver", "OBJECT_POLICY", (o) => delete policy(o, "collector.dns").spec.egress[0].ports],
  [
    "a range of ports",
    "OBJECT_POLICY",
    (o) => (policy(o, "collector.backend.https.egress").spec.egress[0].ports[0].endPort = 65_535),
  ],
  [
    "keys that are everywhere",
    "OBJECT_POLICY",
    (o) => (policy(o, "custody.keys.egress").spec.egress[0].to[0].ipBlock.cidr = "0.0.0.0/0"),
  ],
  [
    "published for everybody",
    "OBJECT_POLICY",
    (o) => (policy(o, "broker.mqtts.published").spec.ingress[0].from[0].ipBlock.cidr = "0.0.0.0/0"),
  ],
  [
    "no policy for a flow",
    "OBJECT_POLICY",
    (o) => remove(o, "NetworkPolicy", "collector.broker.mqtts-services.egress"),
  ],
  [
    "two pods away at once",
    "OBJECT_RUNNING",
    (o) => (get(o, "PodDisruptionBudget", "collector").spec.maxUnavailable = "100%"),
  ],
  [
    "one collector alone",
    "OBJECT_RUNNING",
    (o) => (get(o, "HorizontalPodAutoscaler", "collector").spec.minReplicas = 1),
  ],
  ["a number that sets back", "OBJECT_RUNNING", (o) => (workload(o).spec.replicas = 1)],
  [
    "an update that waits for somebody",
    "OBJECT_RUNNING",
    (o) => (workload(o).spec.updateStrategy = { type: "OnDelete" }),
  ],
  [
    "claims that go with the workload",
    "OBJECT_RUNNING",
    (o) => (workload(o, "database").spec.persistentVolumeClaimRetentionPolicy.whenDeleted = "Delete"),
  ],
  ["no time to end", "OBJECT_RUNNING", (o) => (pod(o).terminationGracePeriodSeconds = 0)],
  ["no budget", "OBJECT_KIND", (o) => remove(o, "PodDisruptionBudget", "collector")],
  ["no custody", "OBJECT_KIND", (o) => remove(o, "StatefulSet", "custody")],
  [
    "another's workload",
    "OBJECT_KIND",
    (o) => o.push({ ...structuredClone(workload(o)), metadata: { name: "miner" } }),
  ],
  [
    "a role",
    "OBJECT_KIND",
    (o) => o.push({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "x" } }),
  ],
  ["a workload twice", "OBJECT_KIND", (o) => o.push(structuredClone(workload(o)))],
  [
    "a Secret",
    "OBJECT_SECRET",
    (o) => o.push({ apiVersion: "v1", kind: "Secret", metadata: { name: "custody" }, data: {} }),
  ],
  ["a key in a configuration", "OBJECT_SECRET", (o) => (get(o, "ConfigMap", "collector").data.more = KEY)],
  [
    "a password in a variable",
    "OBJECT_SECRET",
    (o) => box(o, "grafana").env.push({ name: "GF_PASSWORD", value: "hunter2" }),
  ],
  ["another configuration", "OBJECT_CONFIG", (o) => (get(o, "ConfigMap", "collector").data["config.json"] += " ")],
  ["a configuration that may change", "OBJECT_CONFIG", (o) => delete get(o, "ConfigMap", "collector").immutable],
  [
    "labels of another component",
    "OBJECT_LABEL",
    (o) => (workload(o, "grafana").spec.template.metadata.labels["trustkern.component"] = "collector"),
  ],
  ["an annotation", "OBJECT_LABEL", (o) => (workload(o).spec.template.metadata.annotations = { "x/inject": "true" })],
  ["another namespace", "OBJECT_MEMBER", (o) => (workload(o).metadata.namespace = "kube-system")],
  ["a node of its choice", "OBJECT_MEMBER", (o) => (pod(o).nodeName = "control-plane")],
  ["the right to be on any node", "OBJECT_MEMBER", (o) => (pod(o).tolerations = [{ operator: "Exists" }])],
  ["a finaliser", "OBJECT_MEMBER", (o) => (workload(o).metadata.finalizers = ["x/y"])],
  ["something that is no object", "OBJECT_SHAPE", (o) => o.push("---")],
  ["an object without a name", "OBJECT_SHAPE", (o) => o.push({ kind: "Pod", metadata: {} })],
];

describe("refuses", () => {
  it.each(WEAKENINGS)("%s: %s", (_, code, weaken) => {
    const objects = fresh();
    weaken(objects);
    const found = checkRendered(objects, hosted);
    expect(found.map((each) => each.code)).toContain(code);
    for (const { path, fix, message } of found) expect(path.length * fix.length * message.length).toBeGreaterThan(0);
  });

  it.each([[undefined], [null], ["objects"], [{}]])("%s in place of objects", (value) => {
    expect(checkRendered(value, hosted).map(({ code }) => code)).toEqual(["OBJECT_SHAPE"]);
  });

  it("all of them at once, each with its path", () => {
    const objects = fresh();
    const harmless = WEAKENINGS.filter(([name]) => !/^(no |a Secret|an? .* more|something|an object)/.test(name)).slice(
      0,
      12,
    );
    for (const [, , weaken] of harmless) weaken(objects);
    const paths = checkRendered(objects, hosted).map(({ path }) => path);
    expect(new Set(paths).size).toBeGreaterThanOrEqual(8);
    expect(paths).toContain("StatefulSet/collector.spec.template.spec.containers[0].securityContext.privileged");
  });

  it("and never prints the text that stands in a place", () => {
    const objects = fresh();
    box(objects).command = ["tk-canary-5f1d7c"];
    get(objects, "ConfigMap", "collector").data["config.json"] = "tk-canary-5f1d7c";
    box(objects).env = [{ name: "X", value: "tk-canary-5f1d7c" }];
    const found = checkRendered(objects, hosted);
    expect(found.length).toBeGreaterThan(2);
    expect(JSON.stringify(found)).not.toContain("tk-canary-5f1d7c");
  });
});

/** Every place in the objects, as the keys that lead there. */
function placesIn(value: unknown, keys: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [keys];
  const members = Object.entries(value).map(([key, member]) =>
    placesIn(member, [...keys, Array.isArray(value) ? Number(key) : key]),
  );
  return [...(keys.length > 0 ? [keys] : []), ...members.flat()];
}
const PLACES = placesIn(hosted.plan.objects);

it("refuses any change of any place, and any place taken out", () => {
  fc.assert(
    fc.property(fc.nat(PLACES.length - 1), fc.constantFrom("change", "remove", "add"), (index, how) => {
      const objects: Loose = fresh();
      const keys = PLACES[index] as (string | number)[];
      const parent = keys.slice(0, -1).reduce<Loose>((at, key) => at[key], objects);
      const last = keys.at(-1) as string | number;
      const old = parent[last];
      if (how === "remove") {
        if (Array.isArray(parent)) parent.splice(Number(last), 1);
        else delete parent[last];
      } else if (how === "add" && typeof old === "object" && !Array.isArray(old)) old.more = true;
      else
        parent[last] =
          typeof old === "string"
            ? `${old}x`
            : typeof old === "number"
              ? old + 1
              : typeof old === "boolean"
                ? !old
                : "x";
      return checkRendered(objects, hosted).length > 0;
    }),
    { numRuns: 100 },
  );
});
