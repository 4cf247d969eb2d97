import { describe, expect, it } from "vitest";
import { nameConstraints } from "../../../certs/name-constraints.ts";
import { EVERY_PORT } from "../../../stacks/host/trust/container-facts.ts";
import { checksOf } from "../checks.ts";
import { judgeRefusals } from "./judge/tls.ts";
import type { Observation } from "./observation.ts";
import { deployment, rendered } from "./test-observation.ts";
import { component, facts, factsOf, good, inside, judge, reach, stranger, tls, told } from "./test-weakenings.ts";

const authorities = "answer" in good.constraints ? good.constraints.answer : new Map();
const otherTenant = Buffer.from(nameConstraints("gateways", "other").value).toString("hex");

it("proves a deployment that is as it should be, with one result for each check, in their order", () => {
  expect(told({})).toEqual({});
  expect(judge().map(({ id }) => id)).toEqual(checksOf("running"));
});

it("takes a default route by the host's address in a network of the container for none, since nothing leaves by it", () => {
  const spec = rendered.plan.containers.find(({ name }) => name === "loki");
  const own = rendered.plan.networks.find(({ id }) => spec?.networks.some((network) => network.id === id));
  const routes = [{ destination: "default", gateway: own?.subnet.gateway ?? "", device: "eth0" }];
  expect(told(inside("loki", { routes }))).toEqual({});
});

it("tries every other component from each, and what a flow names at its own end alone", () => {
  const from = good.reach.filter((one) => one.from === "custody").map(({ to }) => to);
  expect(new Set(from).size).toBeGreaterThan(8);
  expect(good.reach.filter(({ flow }) => flow === "collector -> broker.mqtts")).toHaveLength(1);
  expect(
    good.reach.filter(({ from, to, flow }) => from === "broker" && to === "collector" && flow === undefined),
  ).not.toEqual([]);
});

it("holds the authority of services to the namespace of a deployment in a cluster, and no other", () => {
  const named = (namespace: string) => {
    const services = Buffer.from(nameConstraints("services", deployment.tenant, namespace).value).toString("hex");
    return { ...good, constraints: { answer: new Map([...authorities, ["services", services]]) } };
  };
  const inCluster = {
    ...deployment,
    engine: "kubernetes",
    kubernetes: { ...deployment.kubernetes, namespace: "a" },
  } as const;
  const { model } = rendered;
  expect(judgeRefusals(named("a"), model, inCluster).findings).toEqual([]);
  for (const [seen, of] of [
    [named("b"), inCluster],
    [good, inCluster],
    [named("a"), deployment],
  ] as const) {
    expect(judgeRefusals(seen, model, of).findings).toMatchObject([{ code: "RUNNING_AUTHORITY" }]);
  }
});

describe("a breach is found", () => {
  it.each<[string, Partial<Observation>, Record<string, unknown>]>([
    [
      "a component that is unhealthy",
      component("loki", (one) => one, "unhealthy"),
      { "running.components": ["broken", "RUNNING_UNWELL containers.loki"] },
    ],
    [
      "a stranger in a network",
      stranger({ networks: [good.everything[0]!.networks[0]] }),
      { "running.components": ["broken", "RUNNING_STRANGER containers.x"] },
    ],
    [
      "a stranger that sees a folder",
      stranger({ sources: ["/srv/tk/volumes"] }),
      { "running.components": ["broken", "RUNNING_STRANGER containers.x"] },
    ],
    [
      "a stranger with a disk by whatever name",
      stranger({ disks: ["/dev/vg/data"], facts: { ...factsOf("loki"), devices: ["/dev/vg/data (rwm)"] } }),
      { "running.components": ["broken", "RUNNING_STRANGER containers.x"] },
    ],
    [
      "a stranger in a namespace",
      stranger({ sharesWith: ["broker"] }),
      { "running.components": ["broken", "RUNNING_STRANGER containers.x"] },
    ],
    [
      "a component in a network of others",
      component("collector", (one: { NetworkSettings: { Networks: object } }) => ({
        ...one,
        NetworkSettings: {
          Networks: { ...one.NetworkSettings.Networks, "tk-demo_gw-01_broker_mqtts": { IPAddress: "" } },
        },
      })),
      { "running.components": ["broken", "RUNNING_NETWORKS containers.collector.networks"] },
    ],
    [
      "a flow that does not connect",
      reach(({ flow }) => flow === "collector -> broker.mqtts", "refused"),
      { "running.flows": ["broken", "RUNNING_FLOW_CLOSED flows.collector -> broker.mqtts"] },
    ],
    [
      "a port that is reached without a flow",
      reach(({ from, to }) => from === "collector" && to === "gw-01", "connected"),
      { "running.refused": ["broken", "RUNNING_REACHED containers.collector"] },
    ],
    [
      "a port of the host that is reached",
      reach(({ to }) => to === "the host", "connected"),
      { "running.refused": expect.arrayContaining(["broken"]) },
    ],
    [
      "an undeclared listener",
      inside("gw-01", { listeners: [{ protocol: "tcp", address: "10.213.0.2", port: 4444 }] }),
      { "running.listeners": ["broken", "RUNNING_LISTENER containers.gw-01.ports"] },
    ],
    [
      "a declared number of the other protocol",
      inside("gw-01", { listeners: [{ protocol: "tcp", address: "::", port: 5683 }] }),
      { "running.listeners": ["broken", "RUNNING_LISTENER containers.gw-01.ports"] },
    ],
    [
      "a port that is published beside",
      component("database", (one: { HostConfig: object }) => ({
        ...one,
        HostConfig: { ...one.HostConfig, PortBindings: { "5432/tcp": [{ HostIp: "0.0.0.0", HostPort: "5432" }] } },
      })),
      { "running.listeners": ["broken", "RUNNING_PUBLISHED containers.database.ports"] },
    ],
    [
      "every port of an image, published without a name",
      facts("gw-01", { ports: [EVERY_PORT] }),
      { "running.listeners": ["broken", "RUNNING_PUBLISHED containers.gw-01.ports"] },
    ],
    [
      "the kernel's memory unmasked",
      facts("gw-01", { rights: [...factsOf("gw-01").rights, "unmasked=/proc/kcore"] }),
      { "running.rights": ["broken", "RUNNING_RIGHT containers.gw-01.rights"] },
    ],
    [
      "a mount",
      facts("gw-01", { mounts: [...factsOf("gw-01").mounts, "/srv/tk/secrets/custody at /run/other"] }),
      { "running.mounts": ["broken", "RUNNING_MOUNT containers.gw-01.mounts"] },
    ],
    [
      "a read-only mount that is not",
      facts("gw-01", { mounts: factsOf("gw-01").mounts.map((one) => one.replace(" (read-only)", "")) }),
      { "running.mounts": ["broken", "RUNNING_MOUNT containers.gw-01.mounts"] },
    ],
    [
      "a variable",
      facts("gw-01", { environment: [...factsOf("gw-01").environment, "NODE_OPTIONS=--inspect"] }),
      { "running.environment": ["broken", "RUNNING_ENVIRONMENT containers.gw-01.environment"] },
    ],
    [
      "another command",
      facts("gw-01", { command: ["entrypoint=/bin/sh"] }),
      { "running.environment": ["broken", "RUNNING_ENVIRONMENT containers.gw-01.command"] },
    ],
    [
      "a capability",
      facts("gw-01", { rights: [...factsOf("gw-01").rights, "added=NET_ADMIN"] }),
      { "running.rights": ["broken", "RUNNING_RIGHT containers.gw-01.rights"] },
    ],
    [
      "a right that is not dropped",
      facts("gw-01", { rights: factsOf("gw-01").rights.filter((one) => one !== "dropped=ALL") }),
      { "running.rights": ["broken", "RUNNING_RIGHT containers.gw-01.rights"] },
    ],
    [
      "root",
      facts("gw-01", { user: ["0:0"] }),
      { "running.rights": ["broken", "RUNNING_RIGHT containers.gw-01.user"] },
    ],
    [
      "a device",
      facts("gw-01", { devices: ["/dev/tpmrm0 (rwm)"] }),
      { "running.rights": ["broken", "RUNNING_RIGHT containers.gw-01.devices"] },
    ],
    [
      "a bound that is gone",
      component("gw-01", (one: { HostConfig: object }) => ({
        ...one,
        HostConfig: { ...one.HostConfig, PidsLimit: null },
      })),
      { "running.rights": ["broken", "RUNNING_RIGHT containers.gw-01.limits"] },
    ],
    [
      "another image",
      facts("gw-01", { image: ["sha256:other"] }),
      { "running.images": ["broken", "RUNNING_IMAGE containers.gw-01.image"] },
    ],
    [
      "a handshake that is not taken",
      tls(({ shows, to }) => shows === "own" && to === "loki", {
        outcome: "untrusted",
        why: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      }),
      expect.objectContaining({
        "running.tls.accepted": ["broken", "RUNNING_TLS_OWN containers.loki.ports.https"],
      }) as never,
    ],
    [
      "TLS 1.2",
      tls(({ shows, to }) => shows === "old-version" && to === "loki", { version: "TLSv1.2" }),
      { "running.tls.version": ["broken", "RUNNING_TLS_VERSION containers.loki.ports.https"] },
    ],
    ...(["nothing", "other-root", "other-tenant", "revoked"] as const).map(
      (shown): [string, Partial<Observation>, Record<string, unknown>] => [
        `a port that takes ${shown}`,
        tls(({ shows, to, port }) => shows === shown && to === "broker" && port === "mqtts", {}),
        { "running.tls.refused": ["broken", "RUNNING_TLS_TAKEN containers.broker.ports.mqtts"] },
      ],
    ),
    [
      "a packet that left",
      {
        watch: {
          answer: {
            controls: [true, true],
            controlsOfIpv6: [null, null],
            otherRoutes: [],
            listener: [true, true],
            left: [{ from: "gw-01", line: "eth0 Out IP" }],
          },
        },
      },
      { "running.egress": ["broken", "RUNNING_EGRESS containers.gw-01"] },
    ],
    [
      "a default route by somebody else's address",
      inside("loki", { routes: [{ destination: "default", gateway: "203.0.113.9", device: "eth0" }] }),
      { "running.egress": ["broken", "RUNNING_EGRESS containers.loki.routes"] },
    ],
    [
      "an authority that may name another tenant's",
      { constraints: { answer: new Map([...authorities, ["gateways", otherTenant]]) } },
      { "running.tls.refused": ["broken", "RUNNING_AUTHORITY authorities.gateways"] },
    ],
    [
      "an authority that may name everybody",
      { constraints: { answer: new Map([...authorities, ["services", ""]]) } },
      { "running.tls.refused": ["broken", "RUNNING_AUTHORITY authorities.services"] },
    ],
    [
      "a service of the host that is reached",
      { hostReach: good.hostReach.map((one) => (one.from === "gw-01" ? { ...one, reached: "connected" } : one)) },
      { "running.egress": ["broken", "RUNNING_EGRESS containers.gw-01"] },
    ],
    [
      "a name that is resolved",
      { resolves: new Map([...good.resolves, ["gw-01", true]]) },
      { "running.egress": ["broken", "RUNNING_EGRESS containers.gw-01.dns"] },
    ],
    [
      "custody that is sealed",
      { custody: { sealed: true, kind: null, custodyClass: null } },
      { "running.custody": ["broken", "RUNNING_CUSTODY containers.custody"] },
    ],
    [
      "custody of another kind",
      { custody: { ...good.custody, kind: "vault" } },
      { "running.custody": ["broken", "RUNNING_CUSTODY containers.custody"] },
    ],
  ])("%s", (_, changes, expected) => {
    expect(told(changes)).toEqual(expected);
  });

  it("custody of a lower class than the file asks for", () => {
    const asked = { custody: { ...deployment.custody, leastClass: "hardware" } };
    expect(told({}, asked)).toEqual({ "running.custody": ["broken", "RUNNING_CUSTODY containers.custody"] });
  });

  it("and no value of a variable is told", () => {
    const secret = "DB=q8Zf0TtqLx7Yw3Rk9Vb2Nc5M";
    const results = judge(facts("gw-01", { environment: [...factsOf("gw-01").environment, secret] }));
    expect(results.find(({ id }) => id === "running.environment")?.findings.map(({ code }) => code)).toContain(
      "RUNNING_SECRET",
    );
    expect(JSON.stringify(results)).not.toContain("q8Zf0Ttq");
  });
});
