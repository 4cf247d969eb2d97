import { describe, expect, it } from "vitest";
import { chooseAddresses } from "../addresses.ts";
import { renderObjects, VOLUMES } from "./objects.ts";
import { renderSettings } from "./settings.ts";
import { partWords } from "./words.ts";

const ADDRESSES = chooseAddresses([]);
const settings = renderSettings({ inside: "/mnt", addresses: ADDRESSES, cgroup: "mine", pauseImage: "pause:1" });
const words = partWords("/mnt", ADDRESSES, (name) => `/mnt/bin/${name}`);
const json = (path: string) => JSON.parse(settings.get(path) ?? "");

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly local?: { readonly path: string } };
}

describe("settings of a cluster", () => {
  it("let a kubelet run on control groups of version 1, with swap, below the cluster's own group", () => {
    expect(json("config/kubelet.yaml")).toMatchObject({
      failCgroupV1: false,
      cgroupDriver: "cgroupfs",
      failSwapOn: false,
      cgroupRoot: "/mine",
    });
  });

  it("let nobody ask the kubelet or the API server without a name", () => {
    expect(json("config/kubelet.yaml").authentication.anonymous).toEqual({ enabled: false });
    expect(words["kube-apiserver"]).toContain("--anonymous-auth=false");
  });

  it("authorise nodes and roles, and switch PodSecurity off nowhere", () => {
    expect(words["kube-apiserver"]).toContain("--authorization-mode=Node,RBAC");
    expect(words["kube-apiserver"].join(" ")).not.toMatch(/disable-admission|AlwaysAllow/);
  });

  it("change no setting of the kernel that is the whole machine's", () => {
    expect(json("config/kube-proxy.yaml")).toMatchObject({
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
      oomScoreAdj: 0,
    });
    expect(settings.get("config/containerd.toml")).toContain("restrict_oom_score_adj = true");
  });

  it("have everything listen on the node's loopback address or its own, and never on all", () => {
    const all = [...Object.values(words).flat(), ...settings.values()].join("\n");
    expect(all).not.toMatch(/0\.0\.0\.0(?!\/0)/);
    expect(all).not.toMatch(/\[::\]/);
  });

  it("have both who look for plugins of volumes look in the state folder, since each makes the folder where it looks", () => {
    expect(words["kube-controller-manager"]).toContain("--flex-volume-plugin-dir=/mnt/kubelet/volume-plugins");
    expect(json("config/kubelet.yaml").volumePluginDir).toBe("/mnt/kubelet/volume-plugins");
  });

  it("name no file outside of the state folder but plugins, and what lies in memory", () => {
    const all = [...Object.values(words).flat(), ...settings.values()].join("\n");
    const paths = all.match(/(?<![\w./:])\/[a-z][\w./-]*/g) ?? [];
    expect(paths.filter((path) => !/^\/(?:mnt|run|usr\/lib\/cni|mine|opt$)/.test(path))).toEqual([]);
  });
});

describe("objects of a cluster", () => {
  const { items } = renderObjects("/mnt", ADDRESSES, "coredns:1") as { items: readonly Item[] };

  it("have a name service where policies look for it", () => {
    const labels = { "k8s-app": "kube-dns" };
    const deployment = items.find(({ kind }) => kind === "Deployment");
    expect(deployment).toMatchObject({
      metadata: { namespace: "kube-system" },
      spec: { template: { metadata: { labels } } },
    });
    expect(items.find(({ kind }) => kind === "Service")).toMatchObject({
      spec: { clusterIP: ADDRESSES.dns, selector: labels },
    });
  });

  it("have no two of the same name and kind, and a folder of its own for each volume", () => {
    const names = items.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    const folders = items.flatMap(({ spec }) => spec?.local?.path ?? []);
    expect(new Set(folders).size).toBe(VOLUMES);
  });
});
