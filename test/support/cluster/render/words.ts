import type { Addresses } from "../addresses.ts";
import { NODE_NAME } from "./settings.ts";

/** Port of the API server. */
export const API_PORT = 6443;

/** A part of the cluster that runs on the node itself. */
export type Part =
  | "etcd"
  | "containerd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubelet"
  | "kube-proxy";

/**
 * The words that start each part, programs of the cluster by `program`. What listens on the node's loopback address is reached from the node
 * alone: it is no loopback address of this machine.
 * @param inside - folder that the node has the state in
 */
export function partWords(
  inside: string,
  addresses: Addresses,
  program: (name: string) => string,
): Readonly<Record<Part, readonly string[]>> {
  const pki = (name: string): string => `${inside}/pki/${name}`;
  const kubeconfig = (name: string): string => `--kubeconfig=${inside}/config/${name}.kubeconfig`;
  const client = "http://127.0.0.1:2379";
  const peer = "http://127.0.0.1:2380";
  return {
    etcd: [
      "etcd",
      "--name=node",
      // In memory: nothing of a cluster outlives its processes.
      "--data-dir=/run/etcd",
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=node=${peer}`,
    ],
    containerd: ["containerd", "--config", `${inside}/config/containerd.toml`],
    "kube-apiserver": [
      program("kube-apiserver"),
      `--etcd-servers=${client}`,
      `--bind-address=${addresses.node}`,
      `--advertise-address=${addresses.node}`,
      `--secure-port=${API_PORT}`,
      `--tls-cert-file=${pki("kube-apiserver.crt")}`,
      `--tls-private-key-file=${pki("kube-apiserver.key")}`,
      `--client-ca-file=${pki("authority.crt")}`,
      "--anonymous-auth=false",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      // PodSecurity refuses, and not a switch for all.
      "--allow-privileged=true",
      `--kubelet-certificate-authority=${pki("authority.crt")}`,
      `--kubelet-client-certificate=${pki("kube-apiserver-kubelet.crt")}`,
      `--kubelet-client-key=${pki("kube-apiserver-kubelet.key")}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${pki("tokens.pub")}`,
      `--service-account-signing-key-file=${pki("tokens.key")}`,
      `--service-cluster-ip-range=${addresses.services}`,
      "--profiling=false",
    ],
    "kube-controller-manager": [
      program("kube-controller-manager"),
      kubeconfig("kube-controller-manager"),
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${pki("tokens.key")}`,
      `--root-ca-file=${pki("authority.crt")}`,
      // It makes the folder, by default one of the machine's.
      `--flex-volume-plugin-dir=${inside}/kubelet/volume-plugins`,
      "--profiling=false",
    ],
    "kube-scheduler": [
      program("kube-scheduler"),
      kubeconfig("kube-scheduler"),
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      "--profiling=false",
    ],
    kubelet: [
      program("kubelet"),
      `--config=${inside}/config/kubelet.yaml`,
      kubeconfig("kubelet"),
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${addresses.node}`,
    ],
    "kube-proxy": [program("kube-proxy"), `--config=${inside}/config/kube-proxy.yaml`],
  };
}
