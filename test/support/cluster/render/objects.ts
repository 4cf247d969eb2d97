import type { Addresses } from "../addresses.ts";
import { NODE_NAME } from "./settings.ts";

/** Volumes that claims may bind, made ahead. */
export const VOLUMES = 64;

/** The folder of a volume, in the state folder. */
export function volumeFolder(number: number): string {
  return `volumes/${number}`;
}

const COREFILE = `.:53 {
  errors
  health
  ready
  hosts /etc/coredns/hosts {
    reload 1s
    ttl 1
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
    ttl 5
  }
  cache 1
}
`;

/** What a new cluster has beside what Kubernetes makes itself: a name service, and volumes. */
export function renderObjects(inside: string, addresses: Addresses, corednsImage: string): object {
  return { apiVersion: "v1", kind: "List", items: [...nameService(addresses, corednsImage), ...storage(inside)] };
}

/** As kubeadm has it: what looks for the name service finds it by the label `k8s-app: kube-dns`. */
function nameService({ dns }: Addresses, image: string): readonly object[] {
  const labels = { "k8s-app": "kube-dns" };
  const own = { name: "coredns", namespace: "kube-system" };
  const rbac = "rbac.authorization.k8s.io";
  const list = ["list", "watch"];
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
  ];
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: own },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: { name: "system:coredns" },
      rules: [
        { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: list },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: list },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: "system:coredns" },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "system:coredns" },
      subjects: [{ kind: "ServiceAccount", ...own }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: own, data: { Corefile: COREFILE, hosts: "" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace: "kube-system", labels },
      spec: { clusterIP: dns, selector: labels, ports },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { ...own, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: "coredns",
            priorityClassName: "system-cluster-critical",
            dnsPolicy: "Default",
            containers: [
              {
                name: "coredns",
                image,
                imagePullPolicy: "Never",
                command: ["/coredns", "-conf", "/etc/coredns/Corefile"],
                ports: ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
                readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
                resources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "128Mi" } },
                securityContext: {
                  runAsUser: 0,
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
                },
                volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
              },
            ],
            volumes: [{ name: "config", configMap: { name: "coredns" } }],
          },
        },
      },
    },
  ];
}

/** Folders as `local` volumes, which a pod's `fsGroup` may write as it may those of a provider: those of `hostPath` it may not. */
function storage(inside: string): readonly object[] {
  const storageClassName = "local";
  const onNode = { key: "kubernetes.io/hostname", operator: "In", values: [NODE_NAME] };
  const volumes = Array.from({ length: VOLUMES }, (_, number) => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `local-${number}` },
    spec: {
      storageClassName,
      capacity: { storage: "1Ti" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      local: { path: `${inside}/${volumeFolder(number)}` },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNode] }] } },
    },
  }));
  const byDefault = { "storageclass.kubernetes.io/is-default-class": "true" };
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: storageClassName, annotations: byDefault },
      provisioner: "kubernetes.io/no-provisioner",
      volumeBindingMode: "WaitForFirstConsumer",
    },
    ...volumes,
  ];
}
