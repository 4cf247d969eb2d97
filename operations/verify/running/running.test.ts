import { describe, expect, it } from "vitest";
import { checksOf } from "../checks.ts";
import { judgeRunning } from "./index.ts";
import type { Observation, ReachAttempt, TlsAttempt } from "./observation.ts";
import { deployment, rendered, wellSeen } from "./test-observation.ts";

const good = wellSeen();
const judge = (changes: Partial<Observation> = {}, more: object = {}) =>
  judgeRunning({ ...good, ...changes }, { rendered, deployment: { ...deployment, ...more } });
/** Outcome of each check that is not proven, with the codes and paths of what is found. */
const told = (changes: Partial<Observation>, more: object = {}) =>
  Object.fromEntries(
    judge(changes, more)
      .filter(({ outcome }) => outcome !== "proven")
      .map(({ id, outcome, findings }) => [
        id,
        [outcome, ...new Set(findings.map(({ code, path }) => `${code} ${path}`))],
      ]),
  );

const facts = (name: string, changes: object): Partial<Observation> => ({
  everything: good.everything.map((one) => (one.name === name ? { ...one, facts: { ...one.facts, ...changes } } : one)),
});
const factsOf = (name: string) => good.everything.find((one) => one.name === name)!.facts;
const component = (name: string, change: (container: never) => object, condition = "healthy"): Partial<Observation> => {
  const { container } = good.components.get(name)!;
  const changed = { condition, container: change(structuredClone(container) as never) } as never;
  return { components: new Map([...good.components, [name, changed]]) };
};
const reach = (wanted: (one: ReachAttempt) => boolean, reached: ReachAttempt["reached"]): Partial<Observation> => ({
  reach: good.reach.map((one) => (wanted(one) ? { ...one, reached } : one)),
});
const tls = (
  wanted: (one: TlsAttempt) => boolean,
  answer: Partial<TlsAttempt["answer"]> | undefined,
): Partial<Observation> => ({
  tls: good.tls.map((one) =>
    wanted(one) ? { ...one, answer: answer && { outcome: "taken", version: "TLSv1.3", why: "", ...answer } } : one,
  ),
});
const inside = (name: string, answer: object): Partial<Observation> => {
  const seen = good.inside.get(name)! as { answer: object };
  return { inside: new Map([...good.inside, [name, { answer: { ...seen.answer, ...answer } } as never]]) };
};
const stopped = {
  ...component("collector", (one: object) => ({ ...one, State: { Running: false, Status: "exited" } }), "stopped"),
  inside: new Map([...good.inside].filter(([name]) => name !== "collector")),
  reach: good.reach.filter(({ from, to }) => from !== "collector" && to !== "collector"),
};
const stranger = (more: object): Partial<Observation> => ({
  everything: [
    ...good.everything,
    { ...good.everything[0]!, id: "x", name: "x", labels: {}, sources: [], networks: [], ...more },
  ],
});

it("proves a deployment that is as it should be, with one result for each check, in their order", () => {
  expect(told({})).toEqual({});
  expect(judge().map(({ id }) => id)).toEqual(checksOf("running"));
});

it("tries every other component from each, and what a flow names at its own end alone", () => {
  const from = good.reach.filter((one) => one.from === "custody").map(({ to }) => to);
  expect(new Set(from).size).toBeGreaterThan(8);
  expect(good.reach.filter(({ flow }) => flow === "collector -> broker.mqtts")).toHaveLength(1);
  expect(
    good.reach.filter(({ from, to, flow }) => from === "broker" && to === "collector" && flow === undefined),
  ).not.toEqual([]);
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
            otherRoutes: [],
            listener: [true, true],
            left: [{ from: "gw-01", line: "eth0 Out IP" }],
          },
        },
      },
      { "running.egress": ["broken", "RUNNING_EGRESS containers.gw-01"] },
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

describe("what could not be looked at is not proven", () => {
  it("where a component does not run: every check that needs it names it, and the others go on", () => {
    const seen = judge(stopped);
    const of = (id: string) => seen.find((one) => one.id === id)!;
    expect(of("running.components").outcome).toBe("broken");
    for (const id of ["flows", "refused", "listeners", "tls.accepted", "tls.refused", "tls.version", "egress"]) {
      expect([id, of(`running.${id}`).outcome, of(`running.${id}`).seen]).toEqual([
        id,
        "not-proven",
        expect.stringContaining("collector does not run"),
      ]);
    }
    for (const id of ["mounts", "rights", "images", "custody"]) expect(of(`running.${id}`).outcome).toBe("proven");
  });

  const open = (id: string) => ({ [id]: ["not-proven"] });
  it.each<[string, Partial<Observation>, Record<string, unknown>]>([
    ["a flow that was not tried", reach(({ flow }) => flow !== undefined, undefined), open("running.flows")],
    [
      "a handshake without an answer",
      tls(({ shows }) => shows === "old-version", undefined),
      open("running.tls.version"),
    ],
    [
      "a refusal by who is away",
      tls(({ shows }) => shows === "nothing", { outcome: "away" }),
      open("running.tls.refused"),
    ],
    [
      "a revoked one that is refused for something else",
      tls(({ shows }) => shows === "revoked", { outcome: "refused", why: "ECONNRESET" }),
      open("running.tls.refused"),
    ],
    [
      "a capture that sees nothing of the host's own",
      { watch: { answer: { controls: [true, false], otherRoutes: [], listener: [true, true], left: [] } } },
      open("running.egress"),
    ],
    [
      "a listener that nobody reaches",
      { watch: { answer: { controls: [true, true], otherRoutes: [], listener: [false, true], left: [] } } },
      open("running.egress"),
    ],
    ["a host that is not watched", { watch: { why: "no memory" } }, open("running.egress")],
    [
      "a host whose ways out are others",
      {
        watch: {
          answer: { controls: [null, null], otherRoutes: ["10.0.0.0/8 by eth0"], listener: [true, true], left: [] },
        },
      },
      open("running.egress"),
    ],
    [
      "an image that no lock names",
      { images: new Map([...good.images, ["gateway", { why: "no lock" }]]) },
      { ...open("running.images"), ...open("running.environment") },
    ],
    [
      "custody that does not answer",
      { custody: { sealed: null, kind: null, custodyClass: null } },
      open("running.custody"),
    ],
    [
      "no root to verify with",
      { roots: "no root", tls: [] },
      { ...open("running.tls.accepted"), ...open("running.tls.refused"), ...open("running.tls.version") },
    ],
    [
      "a disk that is not encrypted",
      { volumes: [{ ...good.volumes[0]!, encryption: "none seen" }] },
      { "running.encryption": ["not-proven", "RUNNING_NOT_ENCRYPTED containers.database.volumes"] },
    ],
  ])("%s", (_, changes, expected) => {
    expect(told(changes)).toEqual(expected);
  });

  it("a probe that did not run, in each check that needs it", () => {
    const why = { why: "beside gw-01: no such image" };
    const without = told({ inside: new Map([...good.inside, ["gw-01", why]]) });
    for (const id of ["refused", "listeners", "tls.accepted", "egress"])
      expect(without[`running.${id}`]).toEqual(["not-proven"]);
  });

  it("a host without any way out needs no capture, and that is said", () => {
    const watch = { answer: { controls: [null, null], otherRoutes: [], listener: [true, true], left: [] } };
    expect(told({ watch })).toEqual({});
    expect(judge({ watch }).find(({ id }) => id === "running.egress")?.seen).toContain("no route out");
  });

  it("and an encryption that is not seen may be reported", () => {
    const volumes = [{ ...good.volumes[0]!, encryption: "unknown" as const }];
    expect(judge({ volumes }).find(({ id }) => id === "running.encryption")).toMatchObject({ reportOnly: true });
  });
});

it("does not ask profile dev with an open egress for more", () => {
  const watch = { why: "not watched" };
  expect(told({ watch }, { egress: { mode: "open", allow: [] } })).toEqual({ "running.egress": ["not-required"] });
});
