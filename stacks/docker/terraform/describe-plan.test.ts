import { describe, expect, it } from "vitest";
import { describePlan, driftThatStays, type PlannedChange, renderPlan } from "./describe-plan.ts";

const ADDRESS = "docker_container.collector";
const names = {
  [ADDRESS]: { kind: "component", name: "collector" },
  "docker_network.n1": { kind: "flow", name: "collector → broker (mqtts)" },
};

/** Attributes of a container as the provider 4.6.0 reports them after a refresh. */
const container = {
  bridge: "",
  capabilities: [{ add: [], drop: ["ALL"] }],
  command: ["/app/node", "main"],
  cpus: "0.5",
  dns: [] as string[],
  domainname: "",
  env: ["A=one", "B=1"],
  exit_code: null as number | null,
  hostname: "77f4caf49358",
  id: "77f4",
  image: "sha256:24cc",
  ipc_mode: "private",
  labels: [{ label: "trustkern.config", value: "aaaa" }],
  memory: 64,
  memory_swap: 64,
  mounts: [
    { source: "/s/cfg", target: "/etc/trustkern/collector.json", read_only: true, type: "bind", bind_options: [] },
    { source: "/s/key", target: "/run/secrets/tls.key", read_only: true, type: "bind", bind_options: [] },
  ],
  must_run: true,
  network_data: [{ network_name: "tk-n1", ip_address: "10.250.0.2" }],
  networks_advanced: [{ name: "tk-n1", aliases: ["c.x"], gw_priority: 0 as number | null, ipv4_address: "" }],
  ports: [{ external: 39_998, internal: 80, ip: "127.0.0.1", protocol: "tcp" }],
  privileged: false,
  restart: "unless-stopped",
  ulimit: [{ name: "nproc", soft: 50, hard: 50 }],
};
const network = {
  address: "docker_network.n1",
  mode: "managed",
  type: "docker_network",
  change: { actions: ["no-op"], before: { name: "tk-n1", id: "0218" }, after: { name: "tk-n1", id: "0218" } },
};

type Attributes = Record<string, unknown>;

function resource(actions: readonly string[], before: unknown, after: unknown, more: Attributes = {}) {
  return { address: ADDRESS, mode: "managed", type: "docker_container", change: { actions, before, after, ...more } };
}

function plan(changes: readonly unknown[], drift: readonly unknown[] = []): unknown {
  return { format_version: "1.2", resource_changes: [network, ...changes], resource_drift: drift };
}

function changesOf(after: Attributes, before: Attributes = container): PlannedChange["changes"] {
  const [change] = describePlan(plan([resource(["update"], before, { ...before, ...after })]), names).changes;
  return change?.changes ?? [];
}

describe("a plan in the words of the model", () => {
  it.each<[string, Attributes, string, string | undefined, string | undefined]>([
    ["memory limit", { memory: 128 }, "memory limit", "64 MiB", "128 MiB"],
    ["image", { image: "sha256:aaaa" }, "image", "sha256:24cc", "sha256:aaaa"],
    ["restart policy", { restart: "always" }, "restart policy", "unless-stopped", "always"],
    ["configuration", { labels: [{ label: "trustkern.config", value: "b" }] }, "configuration", "aaaa", "b"],
    [
      "port",
      { ports: [{ external: 8883, internal: 80, ip: "0.0.0.0", protocol: "tcp" }] },
      "published port of 80/tcp",
      "127.0.0.1:39998",
      "0.0.0.0:8883",
    ],
    ["port gone", { ports: [] }, "published port of 80/tcp", "127.0.0.1:39998", undefined],
    ["secret gone", { mounts: [container.mounts[0]] }, 'secret "tls.key"', "/s/key read-only", undefined],
    [
      "configuration file writable",
      { mounts: [{ ...container.mounts[0], read_only: false }, container.mounts[1]] },
      'configuration file "collector.json"',
      "/s/cfg read-only",
      "/s/cfg writable",
    ],
    [
      "volume",
      { mounts: [...container.mounts, { source: "/v", target: "/var/lib/trustkern/wal", read_only: false }] },
      'volume "wal"',
      undefined,
      "/v writable",
    ],
    [
      "socket",
      { mounts: [...container.mounts, { source: "/r", target: "/run/trustkern/custody.open", read_only: false }] },
      'socket "custody.open"',
      undefined,
      "/r writable",
    ],
    [
      "foreign mount",
      { mounts: [...container.mounts, { source: "/", target: "/host" }] },
      "mount at /host",
      undefined,
      "/ writable",
    ],
    ["flow", { networks_advanced: [] }, "connection to flow collector → broker (mqtts)", "as c.x", undefined],
    [
      "address",
      { networks_advanced: [{ ...container.networks_advanced[0], ipv4_address: "10.250.0.3" }] },
      "connection to flow collector → broker (mqtts)",
      "as c.x",
      "as c.x at 10.250.0.3",
    ],
    ["stopped", { must_run: false }, "state", "running", "stopped"],
    ["privileged", { privileged: true }, "privileged", undefined, "true"],
    ["capabilities", { capabilities: [] }, "capabilities", '{"drop":["ALL"]}', undefined],
    ["ulimit", { ulimit: [{ name: "nproc", soft: 9, hard: 9 }] }, "limit nproc", "50, at most 50", "9, at most 9"],
    ["unknown attribute", { shm_size: 64 }, "shm_size", undefined, "64"],
  ])("%s", (_, after, what, from, to) => {
    expect(changesOf(after)).toEqual([{ what, from, to }]);
  });

  it.each([
    ["an added value", ["A=one", "B=1", "C=hunter2"], { what: "environment variable C", from: undefined, to: "set" }],
    ["a changed value", ["A=hunter2", "B=1"], { what: "environment variable A", from: "set", to: "another value" }],
    ["a value that goes", ["B=1"], { what: "environment variable A", from: "set", to: undefined }],
  ])("names a variable of the environment and never its value: %s", (_, env, change) => {
    expect(changesOf({ env })).toEqual([change]);
  });

  it("cuts long values at 60 characters, and says that two that look the same then differ", () => {
    const [change] = changesOf({ command: [`${"x".repeat(80)}2`] }, { ...container, command: [`${"x".repeat(80)}1`] });
    expect(change?.from).toHaveLength(60);
    expect(change?.to).toBe("another value");
  });

  it("never shows what Terraform marks as sensitive", () => {
    const marked = resource(
      ["update"],
      container,
      { ...container, command: ["hunter2"] },
      {
        after_sensitive: { command: [true] },
      },
    );
    const [change] = describePlan(plan([marked]), names).changes;
    expect(change?.changes).toEqual([{ what: "command", from: "(sensitive)", to: "(sensitive)" }]);
  });

  it("lists for a replacement only what brings it about, not what Docker fills in again", () => {
    const after: Attributes = {
      ...container,
      bridge: null,
      dns: null,
      domainname: null,
      hostname: null,
      id: null,
      ipc_mode: null,
      network_data: null,
      env: ["A=two", "B=1"],
    };
    const after_unknown = {
      bridge: true,
      hostname: true,
      id: true,
      ipc_mode: true,
      network_data: true,
      env: [false, false],
    };
    const described = describePlan(plan([resource(["delete", "create"], container, after, { after_unknown })]), names);
    expect(described.changes).toEqual([
      {
        address: ADDRESS,
        action: "replace",
        kind: "component",
        name: "collector",
        changes: [{ what: "environment variable A", from: "set", to: "another value" }],
      },
    ]);
  });

  it.each([
    [["create"], "create"],
    [["delete"], "delete"],
    [["create", "delete"], "replace"],
  ])("%j is %s", (actions, action) => {
    const described = describePlan(plan([resource(actions, container, container)]), {});
    expect(described.changes).toEqual([
      { address: ADDRESS, action, kind: "component", name: "collector", changes: [] },
    ]);
  });

  it.each([["no-op"], ["read"], ["forget"]])("%s changes nothing", (action) => {
    expect(describePlan(plan([resource([action], container, { ...container, memory: 1 })]), names).changes).toEqual([]);
  });

  it.each([
    ["no plan at all", null],
    ["another format", { format_version: "2.0", resource_changes: [] }],
    ["an action that is unknown", plan([resource(["explode"], container, container)])],
  ])("refuses %s", (_, json) => {
    expect(() => describePlan(json, names)).toThrow(expect.objectContaining({ code: "PLAN_UNUSABLE", exit: 2 }));
  });
});

describe("drift", () => {
  const driftOf = (after: Attributes | null, action = "update"): readonly PlannedChange[] =>
    describePlan(plan([], [resource([action], container, after)]), names).drift;

  it("is not what the provider fills in after the first apply", () => {
    const first = {
      ...container,
      dns: null,
      networks_advanced: [{ ...container.networks_advanced[0], gw_priority: null }],
    };
    const described = describePlan(
      plan([], [resource(["update"], first, { ...container, exit_code: 2, sysctls: {} })]),
      names,
    );
    expect(described.drift).toEqual([]);
  });

  it("is a container that was removed", () => {
    expect(driftOf(null, "delete")).toEqual([
      { address: ADDRESS, action: "delete", kind: "component", name: "collector", changes: [] },
    ]);
  });

  it("is a container that was stopped", () => {
    const [one] = driftOf({ ...container, must_run: false });
    expect(one?.changes).toContainEqual({ what: "state", from: "running", to: "stopped" });
  });

  it("is a connection that was cut by hand, which the provider shows nowhere else", () => {
    expect(driftOf({ ...container, network_data: [] })[0]?.changes).toEqual([
      { what: "connection to flow collector → broker (mqtts)", from: "present", to: undefined },
    ]);
  });

  it("stays where the plan does nothing about it, and not where it does", () => {
    const cut = resource(["update"], container, { ...container, network_data: [] });
    expect(driftThatStays(describePlan(plan([], [cut]), names))).toEqual([ADDRESS]);
    const mended = resource(["update"], container, { ...container, memory: 128 });
    expect(driftThatStays(describePlan(plan([mended], [cut]), names))).toEqual([]);
  });

  it("is not the order in which Docker names the networks", () => {
    const two = [...container.network_data, { network_name: "tk-n2", ip_address: "10.250.0.10" }];
    const described = describePlan(
      plan(
        [],
        [resource(["update"], { ...container, network_data: two }, { ...container, network_data: two.toReversed() })],
      ),
      names,
    );
    expect(described.drift).toEqual([]);
  });
});

describe("the rendered plan", () => {
  it("says so where nothing changes", () => {
    expect(renderPlan({ changes: [], drift: [] })).toEqual(["no changes"]);
  });

  it("has a symbol and the words for each resource, each change below it, drift apart, and the counts", () => {
    const drift = [resource(["update"], container, { ...container, must_run: false })];
    const changes = [resource(["update"], container, { ...container, memory: 128, ports: [] })];
    expect(renderPlan(describePlan(plan(changes, drift), names))).toEqual([
      "changed since the last deploy:",
      "! component collector",
      "    state: running → stopped",
      "",
      "~ component collector",
      "    memory limit: 64 MiB → 128 MiB",
      "    published port of 80/tcp: 127.0.0.1:39998 → none",
      "",
      "1 to update",
    ]);
  });
});
