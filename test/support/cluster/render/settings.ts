import type { Addresses } from "../addresses.ts";
import { CNI_PLUGINS } from "../needs.ts";

/** The one node's name. */
export const NODE_NAME = "node-1";

/** Where containerd listens in the node. */
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";

/** What configuration files follow from. */
export interface SettingsRequest {
  /** Folder that the node has the state in. */
  readonly inside: string;
  readonly addresses: Addresses;
  /** Control group of the cluster, below the root of every hierarchy. */
  readonly cgroup: string;
  readonly pauseImage: string;
}

/** Configuration of containerd 1.6 (TOML, version 2). */
function containerd({ inside, pauseImage }: SettingsRequest): string {
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `version = 2
root = "${inside}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
  address = "${CONTAINERD_SOCKET}"

[${cri}]
  sandbox_image = "${pauseImage}"
  # A machine may let nobody have a better score than the machine itself.
  restrict_oom_score_adj = true

[${cri}.cni]
  bin_dir = "${CNI_PLUGINS}"
  conf_dir = "${inside}/cni"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`;
}

/**
 * The network of pods. Each has a link of its own to the node, so that everything between two of them is routed there and passes
 * kube-proxy's rules, with or without br_netfilter.
 */
function network({ addresses }: SettingsRequest): object {
  const ipam = {
    type: "host-local",
    dataDir: "/run/cni",
    ranges: [[{ subnet: addresses.pods }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const portmap = { type: "portmap", capabilities: { portMappings: true } };
  return { cniVersion: "0.4.0", name: "pods", plugins: [{ type: "ptp", ipMasq: false, mtu: 1500, ipam }, portmap] };
}

function kubelet({ inside, addresses, cgroup }: SettingsRequest): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: addresses.node,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${inside}/pki/authority.crt` },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${inside}/pki/kubelet-server.crt`,
    tlsPrivateKeyFile: `${inside}/pki/kubelet-server.key`,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDomain: "cluster.local",
    clusterDNS: [addresses.dns],
    // No name server of this machine: pods find the cluster's names alone.
    resolvConf: "",
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    volumePluginDir: `${inside}/kubelet/volume-plugins`,
    // A disk that is rather full is no reason to take images or pods away.
    imageGCHighThresholdPercent: 100,
    evictionHard: { "imagefs.available": "0%", "nodefs.available": "0%", "memory.available": "0%" },
    // Tests write a Secret or a ConfigMap and look for it in a pod.
    configMapAndSecretChangeDetectionStrategy: "Watch",
    seccompDefault: true,
  };
}

function kubeProxy({ inside, addresses }: SettingsRequest): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    clientConnection: { kubeconfig: `${inside}/config/kube-proxy.kubeconfig` },
    hostnameOverride: NODE_NAME,
    bindAddress: addresses.node,
    clusterCIDR: addresses.pods,
    nodePortAddresses: [`${addresses.node}/32`],
    iptables: { localhostNodePorts: false },
    // These settings are the whole machine's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    oomScoreAdj: 0,
  };
}

/** Configuration files by their paths in the state folder. JSON is YAML. */
export function renderSettings(request: SettingsRequest): ReadonlyMap<string, string> {
  const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  return new Map([
    ["config/containerd.toml", containerd(request)],
    ["cni/pods.conflist", json(network(request))],
    ["config/kubelet.yaml", json(kubelet(request))],
    ["config/kube-proxy.yaml", json(kubeProxy(request))],
  ]);
}
