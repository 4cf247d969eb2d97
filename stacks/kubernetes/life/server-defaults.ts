import { isDeepStrictEqual } from "node:util";

/** A member that the server adds to what was applied: the end of its path, and what it is; where nothing is said, anything. */
type Default = readonly [path: RegExp, value?: unknown];

/**
 * What Kubernetes fills in by its own rules (API reference, defaults of each kind), or keeps of an object. What is added beyond these,
 * by whomever, is a difference.
 */
const DEFAULTS: readonly Default[] = [
  [/^\w+\.status$/],
  [/^\w+\.metadata\.(uid|resourceVersion|generation|creationTimestamp|managedFields)$/],
  // A finalizer delays a removal, and does nothing else: the controller of a load balancer keeps its Service by one.
  [/^\w+\.metadata\.finalizers$/],
  [/^\w+\.(spec\.template\.|spec\.volumeClaimTemplates\[\w*\]\.)metadata\.creationTimestamp$/, null],
  // What an object is marked with beside ours: Argo CD and Flux mark each that they apply, platforms their namespaces. Nothing of ours
  // goes by it. What a pod is made with is not among it, and neither is what PodSecurity goes by.
  [/^(?!Pod\.)\w+\.metadata\.annotations(\.|$)/],
  // Of a pod, when it was started anew, and what network plugins and admission say of what they did: an annotation may ask for a
  // network or a device, too.
  [
    /^Pod\.metadata\.annotations\.(trustkern\.secret-version|kubectl\.kubernetes\.io\/restartedAt|kubernetes\.io\/limit-ranger)$/,
  ],
  [
    /^Pod\.metadata\.annotations\.(cni\.projectcalico\.org\/(containerID|podIPs?)|k8s\.v1\.cni\.cncf\.io\/network-status)$/,
  ],
  [/^Pod\.metadata\.annotations\.(k8s\.ovn\.org\/pod-networks|vpc\.amazonaws\.com\/pod-eni)$/],
  [/^Pod\.metadata\.annotations\.(openshift\.io\/scc|security\.openshift\.io\/validated-scc-subject-type)$/],
  [/^(?!Pod\.)\w+\.metadata\.labels\.(?!pod-security\.kubernetes\.io\/|trustkern\.|app\.kubernetes\.io\/)/],
  [/^Namespace\.spec$/, { finalizers: ["kubernetes"] }],
  [/^Deployment\.spec\.progressDeadlineSeconds$/, 600],
  [/^StatefulSet\.spec\.volumeClaimTemplates\[\]\.status$/, { phase: "Pending" }],
  [/^(StatefulSet|Deployment)\.spec\.replicas$/],
  [
    /^(StatefulSet|Deployment)\.spec\.template\.metadata\.annotations\.(trustkern\.secret-version|kubectl\.kubernetes\.io\/restartedAt)$/,
  ],
  [/^Job\.spec\.(parallelism|completions)$/, 1],
  [/^Job\.spec\.completionMode$/, "NonIndexed"],
  [/^Job\.spec\.podReplacementPolicy$/, "TerminatingOrFailed"],
  [/^Job\.spec\.(suspend|manualSelector)$/, false],
  [/^Job\.spec\.selector$/],
  [/^Job\.spec\.template\.metadata\.labels\.(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/],
  [/^Service\.spec\.(clusterIP|clusterIPs|ipFamilies|ipFamilyPolicy|healthCheckNodePort)$/],
  [/^Service\.spec\.ports\[\]\.nodePort$/],
  [/^Service\.spec\.internalTrafficPolicy$/, "Cluster"],
  [/^Service\.spec\.sessionAffinity$/, "None"],
  [/^Service\.spec\.allocateLoadBalancerNodePorts$/, true],
  // Who makes the load balancer; a platform may say it, and nobody can change it afterwards.
  [/^Service\.spec\.loadBalancerClass$/],
  [/^HorizontalPodAutoscaler\.spec\.behavior\.scaleUp$/],
  [/^HorizontalPodAutoscaler\.spec\.behavior\.scaleDown\.selectPolicy$/, "Max"],
  // Of a pod, where it was put, and what it may bear and displace: nothing that it could see or do.
  [/^Pod\.spec\.(nodeName|hostname|subdomain|tolerations|priority|preemptionPolicy|priorityClassName|serviceAccount)$/],
  [/^Pod\.spec\.schedulerName$/, "default-scheduler"],
  [/^Pod\.metadata\.(generateName|ownerReferences|finalizers)$/],
  [/^Pod\.metadata\.labels\.(controller-revision-hash|statefulset\.kubernetes\.io\/pod-name|pod-template-hash)$/],
  [/^Pod\.metadata\.labels\.(apps\.kubernetes\.io\/pod-index|(batch\.kubernetes\.io\/)?(controller-uid|job-name))$/],
  [/\.spec\.template\.spec\.dnsPolicy$/, "ClusterFirst"],
  [/\.spec\.template\.spec\.schedulerName$/, "default-scheduler"],
  [/\.spec\.template\.spec\.terminationGracePeriodSeconds$/, 30],
  [/\.spec\.template\.spec\.serviceAccount$/],
  [/\.containers\[\]\.terminationMessagePath$/, "/dev/termination-log"],
  [/Probe\.successThreshold$/, 1],
];

/** Members of a list's elements that say which one each is. */
const KEYS = ["mountPath", "name", "containerPort", "topologyKey"] as const;

type Members = Readonly<Record<string, unknown>>;

/** An object of the cluster as it was applied, and everything that somebody else has added to it. */
export function withoutDefaults<T extends { readonly kind: string }>(live: T, planned: object): T {
  return strip(live, planned, live.kind) as T;
}

function strip(live: unknown, planned: unknown, path: string): unknown {
  if (Array.isArray(live)) {
    const wanted = Array.isArray(planned) ? planned : [];
    const key = keyOf(wanted);
    return live.map((each: unknown, index) => {
      const match =
        key === undefined || !isMembers(each) ? wanted[index] : wanted.find((one: Members) => one[key] === each[key]);
      return match === undefined ? each : strip(each, match, `${path}[]`);
    });
  }
  if (!isMembers(live) || !isMembers(planned)) return live;
  const kept = Object.entries(live).filter(
    ([name, value]) => Object.hasOwn(planned, name) || !isDefault(`${path}.${name}`, value),
  );
  return Object.fromEntries(
    kept.flatMap(([name, value]) => {
      const own = strip(value, planned[name] ?? {}, `${path}.${name}`);
      // Where everything in it was the server's, so was the member.
      return Object.hasOwn(planned, name) || !isEmptied(value, own) ? [[name, own] as const] : [];
    }),
  );
}

/** An object of the cluster with what was planned, and what the server fills in or keeps of it: nothing that somebody else has added. */
export function onlyPlanned<T extends { readonly kind: string }>(live: T, planned: object): T {
  return over(live, planned, live.kind) as T;
}

function over(live: unknown, planned: unknown, path: string): unknown {
  if (Array.isArray(planned)) {
    const all: readonly unknown[] = Array.isArray(live) ? live : [];
    const key = keyOf(planned);
    return planned.map((each: unknown, index) => {
      const match =
        key === undefined ? all[index] : all.find((one) => isMembers(one) && isMembers(each) && one[key] === each[key]);
      return over(match, each, `${path}[]`);
    });
  }
  if (!isMembers(live) || !isMembers(planned)) return planned;
  const kept = Object.entries(live).flatMap(([name, value]) => {
    const at = `${path}.${name}`;
    if (Object.hasOwn(planned, name)) return [];
    if (isDefault(at, value)) return [[name, value] as const];
    const own = isMembers(value) ? over(value, {}, at) : {};
    return Object.keys(own as object).length > 0 ? [[name, own] as const] : [];
  });
  const said = Object.entries(planned).map(
    ([name, value]) => [name, over(live[name], value, `${path}.${name}`)] as const,
  );
  return Object.fromEntries([...kept, ...said]);
}

/** The member by which a list's elements are told from each other. */
function keyOf(planned: readonly unknown[]): (typeof KEYS)[number] | undefined {
  return KEYS.find((key) => planned.length > 0 && planned.every((each) => isMembers(each) && Object.hasOwn(each, key)));
}

function isEmptied(before: unknown, after: unknown): boolean {
  return isMembers(before) && isMembers(after) && Object.keys(before).length > 0 && Object.keys(after).length === 0;
}

function isDefault(path: string, value: unknown): boolean {
  return DEFAULTS.some(([known, is]) => known.test(path) && (is === undefined || isDeepStrictEqual(value, is)));
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
