import { describe, expect, it } from "vitest";
import type { Model } from "../../model/boundary.ts";
import { type Component, component, type Exception } from "../../model/component.ts";
import type { Flow } from "../../model/flow.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { layoutOf } from "../host/layout.ts";
import { stateLabelOf } from "./labels.ts";
import { bridgeName } from "./networks.ts";
import { dockerPlacement } from "./placement.ts";
import { pidsLimits, planContainers } from "./plan.ts";

const deployment = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const placement = dockerPlacement(deployment);
const layout = layoutOf("/srv/tk", "/tmp");

function part(name: string, more: Partial<Component> = {}): Component {
  const base = component({
    name,
    zone: "operations",
    holds: [],
    image: "tiny",
    files: [{ path: placement.configFile(name, "config.json"), content: "{}", mode: 0o600 }],
    sockets: [{ name: "control", path: placement.socket(name, "control") }],
    health: { kind: "socket", socket: "control", startupSeconds: 30 },
    limits: { memoryMiB: 64, pids: 16, cpus: 0.5 },
    network: true,
  });
  return { ...base, ...more };
}

const flow = (from: string, to: string, port: string, more: Partial<Flow> = {}): Flow => ({
  from,
  to,
  port,
  protection: "mtls",
  carries: ["metadata"],
  ...more,
});
const IN_POOL = /^10\.213\.\d{1,3}\.\d{1,3}$/;
const port = { name: "https", port: 8443, protocol: "tcp" } as const;
const images = { source: "packages", images: { tiny: { reference: "trustkern/tiny:1", digest: "sha256:1" } } } as const;

function plan(components: readonly Component[], flows: readonly Flow[] = [], runAs = { uid: 10_001, gid: 10_001 }) {
  const model: Model = { engine: "docker", components, flows };
  return planContainers(model, { deployment, layout, runAs, images });
}

const only = (component_: Component, flows: readonly Flow[] = []) => plan([component_], flows).containers[0]!;
const granting = (...grants: NonNullable<Exception["grants"]>) =>
  part("a", { exceptions: [{ what: "x", reason: "y", grants }] });

describe("networks", () => {
  const published = part("b", { ports: [{ ...port, publish: true }] });

  it("are one for each flow, internal, with both ends as members and the name of the one that listens", () => {
    const { networks, containers } = plan([part("a"), part("b", { ports: [port] })], [flow("a", "b", "https")]);
    expect(networks).toMatchObject([
      { id: "a_b_https", name: "tk-demo_a_b_https", internal: true, members: ["a", "b"] },
    ]);
    expect(containers.map((container) => container.networks)).toEqual([
      [{ id: "a_b_https", address: expect.stringMatching(IN_POOL), aliases: [] }],
      [{ id: "a_b_https", address: expect.stringMatching(IN_POOL), aliases: ["b.acme.trustkern.internal"] }],
    ]);
  });

  it("give each member an address of its own, the first after the gateway's to the one that listens", () => {
    const [network] = plan([part("a"), part("b")], [flow("a", "b", "https")]).networks;
    const first = network?.subnet.gateway.split(".").map(Number) ?? [];
    const after = (count: number) => [...first.slice(0, 3), (first[3] ?? 0) + count].join(".");
    expect(network?.addresses).toEqual({ b: after(1), a: after(2) });
  });

  it("have bridges by names that tell what they are for, and that no other network and no other state directory has", () => {
    const networks = plan([published, part("a")], [flow("a", "b", "https")]).networks;
    const names = ["/srv/tk", "/srv/other"].flatMap((dir) =>
      networks.map((network) => bridgeName(network, stateLabelOf(dir))),
    );
    expect(new Set(names).size).toBe(4);
    expect(names.filter((name) => /^tkp-[0-9a-f]{10}$/.test(name))).toHaveLength(2);
    expect(names.filter((name) => /^tkf-[0-9a-f]{10}$/.test(name))).toHaveLength(2);
  });

  it("are no more than one where two flows are the same", () => {
    expect(plan([part("a"), part("b")], [flow("a", "b", "https"), flow("a", "b", "https")]).networks).toHaveLength(1);
  });

  it("are not internal where a port is published, with that component alone", () => {
    expect(plan([published]).networks).toMatchObject([{ id: "b_publish", internal: false, members: ["b"] }]);
  });

  it("are none for a socket, and none for what the engine carries", () => {
    const flows = [
      flow("a", "b", "control", { protection: "unix" }),
      flow("a", "b", "control", { protection: "unix", byEngine: true }),
    ];
    const { networks, containers } = plan([part("a"), part("b")], flows);
    expect(networks).toEqual([]);
    expect(containers.map((container) => container.networks)).toEqual([[], []]);
  });

  it("are of different ids for different flows, whatever hyphens their names have", () => {
    const names = ["gw-1", "gw-1-broker", "broker", "x"];
    const flows = names.flatMap((from) => names.map((to) => flow(from, to, "p-q")));
    expect(
      plan(
        names.map((name) => part(name)),
        flows,
      ).networks,
    ).toHaveLength(16);
  });
});

describe("mounts", () => {
  const sources = (container: { readonly mounts: readonly { readonly source: string }[] }) =>
    container.mounts.map(({ source }) => source);

  it("are read-only for files, one by one, and for the folder of secrets, and writable for volumes and own sockets", () => {
    const a = part("a", {
      secrets: ["tls.crt", "tls.key"].map((secret) => ({ name: secret, file: placement.secretFile("a", secret) })),
      volumes: [{ name: "state", path: placement.volumeDir("a", "state") }],
    });
    expect(only(a).mounts).toEqual([
      { source: "/srv/tk/config/a/config.json", target: "/etc/trustkern/config.json", readOnly: true },
      { source: "/srv/tk/secrets/a", target: "/run/secrets", readOnly: true },
      { source: "/srv/tk/run/a.control", target: "/run/trustkern/a.control", readOnly: false },
      { source: "/srv/tk/volumes/a/state", target: "/var/lib/trustkern/state", readOnly: false },
    ]);
  });

  it("give no folder of secrets to a component without any, and nobody the folder of all", () => {
    const secrets = [{ name: "key", file: placement.secretFile("b", "key") }];
    const [a, b] = plan([part("a"), part("b", { secrets })]).containers;
    expect(sources(a!).filter((source) => source.includes("secrets"))).toEqual([]);
    expect(sources(b!).filter((source) => source.includes("secrets"))).toEqual(["/srv/tk/secrets/b"]);
  });

  it("keep the folders of a configuration file", () => {
    const path = placement.configFile("a", "provisioning/datasources/all.yaml");
    const a = part("a", { files: [{ path, content: "", mode: 0o600 }] });
    expect(sources(only(a))).toContain("/srv/tk/config/a/provisioning/datasources/all.yaml");
  });

  it("give a socket to those alone who have a flow to it, and to them read-only", () => {
    const [a, b, c] = plan(
      [part("a"), part("b"), part("c")],
      [
        flow("a", "b", "control", { protection: "unix" }),
        flow("c", "b", "control", { protection: "unix", byEngine: true }),
      ],
    ).containers;
    expect(a?.mounts).toContainEqual({
      source: "/srv/tk/run/b.control",
      target: "/run/trustkern/b.control",
      readOnly: true,
    });
    expect(sources(b!)).not.toContain("/srv/tk/run/a.control");
    expect(sources(c!)).not.toContain("/srv/tk/run/b.control");
  });
});

describe("a container", () => {
  it("has nothing beyond the hardened default without an exception", () => {
    expect(only(part("a"))).toMatchObject({
      user: "10001:10001",
      readOnlyRoot: true,
      addedCapabilities: [],
      tmpfs: {},
    });
    expect(only(part("a")).health?.test).toEqual([
      "CMD",
      "/usr/bin/node",
      "/app/probe.mjs",
      "/run/trustkern/a.control/sock",
    ]);
  });

  it.each([
    ["user:root", { user: "0:0" }],
    ["rootfs:writable", { readOnlyRoot: false }],
    ["capability:NET_RAW", { addedCapabilities: ["NET_RAW"] }],
    ["health:none", { health: undefined }],
  ] as const)("has what an exception grants, and nothing else: %s", (grant, granted) => {
    const { labels: _, ...plain } = only(part("a"));
    expect(only(granting(grant))).toMatchObject({ ...plain, ...granted });
  });

  it("has no check of its image's where it does one job", () => {
    expect(only(part("a", { health: { kind: "exit", startupSeconds: 5 } }))).toMatchObject({
      job: true,
      health: undefined,
    });
  });

  it("is made anew when a file changes in content, name or mode, and only then", () => {
    const config = (content: string, file = "config.json", mode = 0o600) =>
      only(part("a", { files: [{ path: placement.configFile("a", file), content, mode }] })).labels["trustkern.config"];
    expect(config("1")).toBe(config("1"));
    expect(new Set([config("1"), config("2"), config("1", "other.json"), config("1", "config.json", 0o400)]).size).toBe(
      4,
    );
  });

  it("has memory as a folder with a bound and without programs", () => {
    const { tmpfs } = only(part("a", { scratch: [{ path: "/tmp", maxMiB: 16 }] }));
    expect(tmpfs).toEqual({ "/tmp": "rw,noexec,nosuid,nodev,size=16m,mode=0700,uid=10001,gid=10001" });
  });

  it("logs to the shipper's socket without waiting for it, and rotates where there is no shipper", () => {
    const shipped = plan([part("a"), part("s")], [flow("a", "s", "logs", { protection: "unix", byEngine: true })]);
    const [a, s] = shipped.containers;
    expect(a?.log).toMatchObject({
      driver: "fluentd",
      options: { "fluentd-address": "unix:///srv/tk/run/s.logs/sock", "fluentd-async": "true", "cache-max-file": "3" },
    });
    expect(s?.log).toEqual({ driver: "local", options: { "max-size": "10m", "max-file": "3" } });
  });

  it("publishes on the address of the deployment", () => {
    expect(
      only(
        part("a", {
          ports: [
            { ...port, publish: true },
            { ...port, name: "x", port: 1 },
          ],
        }),
      ).ports,
    ).toEqual([{ internal: 8443, external: 8443, protocol: "tcp", address: "127.0.0.1" }]);
  });

  it.each([
    ["no image", { image: undefined }],
    ["an image that nobody knows", { image: "other" }],
    ["several replicas", { replicas: 2 }],
    ["no replica", { replicas: 0 }],
  ])("is refused with %s", (_, more) => {
    const { image, ...rest } = { ...part("a"), ...more };
    const asked = image === undefined ? rest : { ...rest, image };
    expect(() => only(asked)).toThrow(expect.objectContaining({ code: "DOCKER_COMPONENT", path: "components.a" }));
  });
});

it("lists the limit of process ids of every container", () => {
  expect(pidsLimits(plan([part("a"), part("b", { limits: { memoryMiB: 1, pids: 7, cpus: 1 } })]))).toEqual([
    { container: "a", pids: 16 },
    { container: "b", pids: 7 },
  ]);
});

it("places every port of the model at a number of its own kind, with the name that its certificate has", () => {
  expect(placement.endpoint("broker", "mqtts")).toEqual({
    host: "broker.acme.trustkern.internal",
    port: 8883,
    servername: "broker.acme.trustkern.internal",
  });
  const https = ["backend", "gateways-ca", "operators-ca", "loki", "prometheus", "grafana"].map(
    (name) => placement.endpoint(name, "https").port,
  );
  expect(https).toEqual([8443, 9000, 9001, 3100, 9090, 3000]);
});
