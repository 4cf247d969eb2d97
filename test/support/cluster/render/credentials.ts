import type { Addresses } from "../addresses.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import { ClusterAuthority, type Pair, type Subject, tokenKeys } from "./pki.ts";
import { NODE_NAME } from "./settings.ts";
import { API_PORT } from "./words.ts";

const MASTERS = "system:masters";

/** Who has a kubeconfig in `config/` (kubernetes.io, "PKI certificates and requirements"). */
const CLIENTS: Readonly<Record<string, Subject>> = {
  "kube-controller-manager": { commonName: "system:kube-controller-manager" },
  "kube-scheduler": { commonName: "system:kube-scheduler" },
  "kube-proxy": { commonName: "system:kube-proxy" },
  kubelet: { commonName: `system:node:${NODE_NAME}`, group: "system:nodes" },
};

/** Credentials of a cluster. All of it is secret. */
export interface Credentials {
  /** Files by their paths in the state folder. */
  readonly files: ReadonlyMap<string, string>;
  readonly authority: string;
  /** The administrator's certificate, which is in their kubeconfig too. */
  readonly administrator: Pair;
}

/** Makes every certificate, key and kubeconfig of a new cluster. */
export async function renderCredentials(addresses: Addresses, now: Date): Promise<Credentials> {
  const authority = await ClusterAuthority.create(now);
  const tokens = await tokenKeys();
  const files = new Map([
    ["pki/authority.crt", authority.certPem],
    ["pki/tokens.key", tokens.keyPem],
    ["pki/tokens.pub", tokens.publicPem],
  ]);
  for (const [name, subject] of Object.entries(pairsOf(addresses))) {
    const { certPem, keyPem } = await authority.issue(subject);
    files.set(`pki/${name}.crt`, certPem).set(`pki/${name}.key`, keyPem);
  }
  const access = { server: `https://${addresses.node}:${API_PORT}`, authority: authority.certPem };
  for (const [name, subject] of Object.entries(CLIENTS))
    files.set(`config/${name}.kubeconfig`, renderKubeconfig({ ...access, pair: await authority.issue(subject) }));
  const administrator = await authority.issue({ commonName: "administrator", group: MASTERS });
  files.set("kubeconfig", renderKubeconfig({ ...access, pair: administrator }));
  return { files, authority: authority.certPem, administrator };
}

function pairsOf({ node, kubernetes }: Addresses): Readonly<Record<string, Subject>> {
  const service = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ];
  return {
    "kube-apiserver": { commonName: "kube-apiserver", server: { dns: service, ip: [kubernetes, node] } },
    "kube-apiserver-kubelet": { commonName: "kube-apiserver-kubelet", group: MASTERS },
    "kubelet-server": {
      commonName: `system:node:${NODE_NAME}`,
      group: "system:nodes",
      server: { dns: [NODE_NAME], ip: [node] },
    },
  };
}
