import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { chooseAddresses } from "../addresses.ts";
import { type Credentials, renderCredentials } from "./credentials.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const ADDRESSES = chooseAddresses([]);
let made: Credentials;
beforeAll(async () => {
  made = await renderCredentials(ADDRESSES, NOW);
});

const text = (path: string): string => made.files.get(path) ?? "";
const certificate = (name: string): X509Certificate => new X509Certificate(text(`pki/${name}.crt`));

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

function kubeconfig(path: string) {
  const { clusters, users } = JSON.parse(text(path)) as Kubeconfig;
  const [cluster, user] = [clusters[0]!.cluster, users[0]!.user];
  const pem = (value = ""): string => Buffer.from(value, "base64").toString();
  return {
    server: cluster.server,
    authority: pem(cluster["certificate-authority-data"]),
    certificate: new X509Certificate(pem(user["client-certificate-data"])),
    key: createPrivateKey(pem(user["client-key-data"])),
  };
}

describe("renderCredentials", () => {
  it.each(["kube-apiserver", "kube-apiserver-kubelet", "kubelet-server"])(
    "certifies %s by the one authority",
    (name) => {
      const leaf = certificate(name);
      const authority = new X509Certificate(made.authority);
      expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true);
      expect(leaf.checkPrivateKey(createPrivateKey(text(`pki/${name}.key`)))).toBe(true);
      expect([authority.ca, leaf.ca]).toEqual([true, false]);
    },
  );

  it("lets the API server be called by its Service's names and by both addresses, and by nothing else", () => {
    const leaf = certificate("kube-apiserver");
    for (const name of ["kubernetes.default.svc", "kubernetes.default.svc.cluster.local"])
      expect(leaf.checkHost(name)).toBe(name);
    for (const address of [ADDRESSES.node, ADDRESSES.kubernetes]) expect(leaf.checkIP(address)).toBe(address);
    expect(leaf.checkHost("localhost")).toBeUndefined();
    expect(leaf.checkIP("127.0.0.1")).toBeUndefined();
  });

  it.each([
    ["config/kube-controller-manager.kubeconfig", "CN=system:kube-controller-manager"],
    ["config/kube-scheduler.kubeconfig", "CN=system:kube-scheduler"],
    ["config/kube-proxy.kubeconfig", "CN=system:kube-proxy"],
    ["config/kubelet.kubeconfig", "O=system:nodes\nCN=system:node:node-1"],
    ["kubeconfig", "O=system:masters\nCN=administrator"],
  ])("gives %s the user that the API server knows, who is no server", (path, subject) => {
    const given = kubeconfig(path);
    expect(given.server).toBe(`https://${ADDRESSES.node}:6443`);
    expect(given.authority).toBe(made.authority);
    expect(given.certificate.subject).toBe(subject);
    expect(given.certificate.checkPrivateKey(given.key)).toBe(true);
    expect(given.certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  });

  it("names the administrator's group in no other certificate but the API server's own at the kubelet", () => {
    const masters = [...made.files].filter(([, value]) => /BEGIN CERTIFICATE/.test(value) && isMaster(value));
    expect(masters.map(([path]) => path)).toEqual(["pki/kube-apiserver-kubelet.crt"]);
  });

  it("signs tokens with a key whose public half it tells apart", () => {
    const own = createPublicKey(text("pki/tokens.key")).export({ format: "pem", type: "spki" });
    expect(text("pki/tokens.pub")).toBe(own);
    expect(text("pki/tokens.pub")).not.toContain("PRIVATE");
  });

  it("makes another authority and other keys for each cluster", async () => {
    const other = await renderCredentials(ADDRESSES, NOW);
    for (const [path, value] of made.files) expect(other.files.get(path)).not.toBe(value);
  });

  it("ends within a month", () => {
    expect(new Date(certificate("kube-apiserver").validTo).getTime() - NOW.getTime()).toBeLessThanOrEqual(
      30 * 86_400_000,
    );
  });
});

function isMaster(pem: string): boolean {
  return new X509Certificate(pem).subject.includes("system:masters");
}
