import { describe, expect, it } from "vitest";
import { checksOf } from "../../checks.ts";
import type { ClusterObservation, PodAttempt } from "./observation.ts";
import { good, judge, pod, reach, told, within } from "./test-observation.ts";

const NO_NODE = "its image has no Node, which looks from inside";
const of = (id: string, changes: Partial<ClusterObservation>) => judge(changes).find((one) => one.id === id);
const refused = ({ purpose }: PodAttempt) => purpose === "refused";
const tls = (
  which: (one: ClusterObservation["tls"][number]) => boolean,
  answer: Partial<NonNullable<ClusterObservation["tls"][number]["answer"]>> | undefined,
): Partial<ClusterObservation> => ({
  tls: good.tls.map((one) =>
    which(one)
      ? {
          ...one,
          answer: answer && { outcome: "refused" as const, version: "", why: "alert", ...one.answer, ...answer },
        }
      : one,
  ),
});
const component = (name: string, condition: "unhealthy" | "missing"): Partial<ClusterObservation> => ({
  components: new Map(good.components).set(name, {
    condition,
    container: condition === "missing" ? undefined : good.components.get(name)?.container,
  }),
});

it("proves a deployment that is as it should be, with one result for each check, in their order", () => {
  expect(told()).toEqual({});
  expect(judge().map(({ id }) => id)).toEqual(checksOf("running"));
});

it("never proves encryption, which is the platform's", () => {
  const result = of("running.encryption", {});
  expect(result).toMatchObject({ outcome: "not-proven" });
  expect(new Set(result?.findings.map(({ code }) => code))).toEqual(new Set(["RUNNING_NOT_ENCRYPTED"]));
});

it("tries every pod's ports from each other pod, the other replicas among them, but for those of a flow", () => {
  const tried = good.attempts.filter(refused).map(({ from, to }) => `${from} ${to}`);
  expect(tried).toContain("collector-0 collector-1");
  expect(tried).toContain("gw-01-0 database-0");
  const broker = good.attempts.filter(({ from, to }) => from === "collector-0" && to === "broker-0");
  expect(broker.some(({ target }) => target.port === 8884)).toBe(false);
});

describe("a breach is found by its check", () => {
  it.each<[string, Partial<ClusterObservation>, Record<string, unknown>]>([
    [
      "a component that is not well",
      component("prometheus", "unhealthy"),
      { "running.components": ["broken", "RUNNING_UNWELL components.prometheus"] },
    ],
    [
      "a stranger in the namespace",
      { differences: [{ code: "OBJECT_STRANGER", path: "Pod/peek", message: "is nobody's", fix: "" }] },
      { "running.components": ["broken", "RUNNING_STRANGER Pod/peek"] },
    ],
    [
      "a flow that does not connect from one of several pods",
      reach(({ from, flow }) => from === "collector-1" && flow === "collector -> database.postgres", "refused"),
      { "running.flows": ["broken", "RUNNING_FLOW_CLOSED flows.collector -> database.postgres"] },
    ],
    [
      "a Service whose name has no address",
      reach(({ flow }) => flow === "collector -> database.postgres", "unnamed"),
      { "running.flows": ["broken", "RUNNING_FLOW_CLOSED flows.collector -> database.postgres"] },
    ],
    [
      "one pod that reaches two ports without a flow",
      reach(({ from, to, purpose }) => purpose === "refused" && from === "gw-01-0" && to === "custody-0", "connected"),
      { "running.refused": ["broken", "RUNNING_REACHED Pod/gw-01-0", "RUNNING_REACHED Pod/gw-01-0"] },
    ],
    [
      "a datagram that another pod answers",
      reach(
        ({ to, target, purpose }) => purpose === "refused" && to === "gw-02-0" && target.protocol === "udp",
        "connected",
      ),
      { "running.refused": expect.arrayContaining(["broken", "RUNNING_REACHED Pod/collector-0"]) },
    ],
    [
      "a cluster that enforces no policy, once",
      reach(refused, "connected"),
      { "running.refused": ["broken", "RUNNING_POLICIES_UNENFORCED cluster.networkPolicies"] },
    ],
    [
      "an undeclared listener",
      within("gw-01-0", { listeners: [{ protocol: "tcp", address: "0.0.0.0", port: 4444 }] }),
      { "running.listeners": ["broken", "RUNNING_LISTENER Pod/gw-01-0"] },
    ],
    [
      "the API server in reach",
      reach(({ from, to }) => from === "broker-0" && to === "the API server", "connected"),
      { "running.egress": ["broken", "RUNNING_EGRESS Pod/broker-0"] },
    ],
    [
      "a node in reach",
      reach(({ from, to }) => from === "database-0" && to === "a node", "connected"),
      { "running.egress": ["broken", "RUNNING_EGRESS Pod/database-0"] },
    ],
    [
      "a public address that answers",
      reach(({ from, to }) => from === "custody-0" && to === "a public address", "connected"),
      { "running.egress": ["broken", "RUNNING_EGRESS Pod/custody-0"] },
    ],
    [
      "the resolver in reach of whom asks for no names",
      reach(({ to }) => to === "the resolver", "connected"),
      { "running.egress": expect.arrayContaining(["broken", "RUNNING_EGRESS Pod/database-0"]) },
    ],
    [
      "a name of somebody outside",
      { resolves: new Map(good.resolves).set("collector-0", true) },
      { "running.egress": ["broken", "RUNNING_EGRESS Pod/collector-0.dns"] },
    ],
    [
      "a port that refuses its own client",
      tls(({ to, shows }) => to === "database" && shows === "own", { outcome: "refused" }),
      {
        "running.tls.accepted": expect.arrayContaining(["RUNNING_TLS_OWN components.database.ports.postgres"]),
        // It takes nobody, so that what it refuses shows nothing.
        "running.tls.version": ["not-proven"],
      },
    ],
    ...(["nothing", "other-root", "other-tenant", "revoked"] as const).map(
      (shows): [string, Partial<ClusterObservation>, Record<string, unknown>] => [
        `a client that shows ${shows} and is taken`,
        tls((one) => one.to === "backend" && one.port === "https" && one.shows === shows, { outcome: "taken" }),
        { "running.tls.refused": ["broken", "RUNNING_TLS_TAKEN components.backend.ports.https"] },
      ],
    ),
    [
      "TLS 1.2",
      tls((one) => one.to === "prometheus" && one.shows === "old-version", { outcome: "taken", version: "TLSv1.2" }),
      { "running.tls.version": ["broken", "RUNNING_TLS_VERSION components.prometheus.ports.https"] },
    ],
    [
      "an authority that may name others",
      { constraints: { answer: new Map() } },
      { "running.tls.refused": expect.arrayContaining(["broken", "RUNNING_AUTHORITY authorities.gateways"]) },
    ],
    [
      "an annotation that asks for a second network",
      pod("custody-0", ({ metadata }) => {
        metadata.annotations["k8s.v1.cni.cncf.io/networks"] = "theirs";
      }),
      { "running.rights": ["broken", "RUNNING_RIGHT Pod/custody-0.metadata.annotations"] },
    ],
    [
      "custody that is sealed",
      { custody: { sealed: true, kind: null, custodyClass: null } },
      { "running.custody": ["broken", "RUNNING_CUSTODY components.custody"] },
    ],
  ])("%s", (_, changes, wanted) => {
    const seen = told(changes);
    expect(seen).toMatchObject(wanted);
    expect(Object.keys(seen)).toEqual(Object.keys(wanted));
  });
});

describe("what was not looked at is not proven", () => {
  it.each<[string, Partial<ClusterObservation>, readonly string[]]>([
    ["a pod without Node", within("prometheus-0", NO_NODE), ["running.refused", "running.listeners", "running.egress"]],
    [
      "attempts that were lost",
      reach(({ from, purpose }) => from === "broker-0" && purpose === "refused", "lost"),
      ["running.refused"],
    ],
    [
      "a flow that was not tried",
      reach(({ flow }) => flow === "collector -> database.postgres", "lost"),
      ["running.flows"],
    ],
    [
      "datagrams that not even their own pod answers",
      reach(({ to, purpose }) => to === "gw-01-0" && purpose === "itself", "silent"),
      ["running.refused"],
    ],
    [
      "a public address where packets vanish",
      reach(({ to, from }) => to === "a public address" && from === "broker-0", "silent"),
      ["running.egress"],
    ],
    [
      "handshakes without the root",
      { roots: "it is not here", tls: [] },
      ["running.tls.accepted", "running.tls.refused", "running.tls.version"],
    ],
    [
      "a handshake that was not made",
      tls(({ to, shows }) => to === "broker" && shows === "nothing", undefined),
      ["running.tls.refused"],
    ],
    [
      "custody that does not answer",
      { custody: { sealed: null, kind: null, custodyClass: null } },
      ["running.custody"],
    ],
    [
      "an id of bytes that is no digest of a registry",
      pod("broker-0", ({ status }) => {
        status.containerStatuses[0].imageID = `sha256:${"1".repeat(64)}`;
      }),
      ["running.images"],
    ],
  ])("%s", (_, changes, ids) => {
    const seen = told(changes);
    expect(Object.entries(seen).map(([id, [outcome]]) => `${id} ${outcome}`)).toEqual(
      ids.map((id) => `${id} not-proven`),
    );
  });

  it("of a component that is gone", () => {
    const gone = {
      ...component("collector", "missing"),
      pods: good.pods.filter(({ pod: { name } }) => name !== "collector"),
    };
    expect(told(gone)).toMatchObject({
      "running.components": ["broken", "RUNNING_UNWELL components.collector"],
      "running.flows": ["not-proven"],
      "running.mounts": ["not-proven"],
      "running.rights": ["not-proven"],
      "running.images": ["not-proven"],
    });
  });

  it("where one port of many is kept from everybody, so that policies are enforced somewhere", () => {
    const most = reach((one) => refused(one) && one.to !== "database-0", "connected");
    expect(told(most)["running.refused"]).not.toContain("RUNNING_POLICIES_UNENFORCED cluster.networkPolicies");
    expect(told(most)["running.refused"]?.[0]).toBe("broken");
  });
});

describe("Prometheus without a program that looks from inside", () => {
  const without = (targets: ClusterObservation["targets"]) => {
    const changes = within("prometheus-0", NO_NODE);
    const attempts = good.attempts.filter(({ from }) => from !== "prometheus-0");
    return of("running.flows", { ...changes, attempts, targets });
  };
  const jobs = [
    "backend",
    "broker",
    "collector",
    "custody-broker",
    "gw-01",
    "gw-02",
    "prometheus",
    "gateways-ca",
    "operators-ca",
    "database",
  ];
  const all = (health: string) => new Map(jobs.map((job) => [job, [health]]));

  it("is believed that its targets are up", () => {
    expect(without({ answer: all("up") })?.outcome).toBe("proven");
  });

  it("is believed that one is down", () => {
    expect(without({ answer: all("up").set("backend", ["up", "down"]) })?.findings).toMatchObject([
      { code: "RUNNING_FLOW_CLOSED", path: "flows.prometheus -> backend.metrics" },
    ]);
  });

  it.each([
    ["names no target", { answer: new Map() }],
    ["has not tried one yet", { answer: all("up").set("broker", ["unknown"]) }],
    ["does not answer", { why: "nobody answers" }],
  ])("proves nothing where it %s", (_, targets) => {
    expect(without(targets)?.outcome).toBe("not-proven");
  });
});

it("says what mends a finding in words of a cluster, and of no other engine", () => {
  const all = [
    reach(refused, "connected"),
    component("broker", "unhealthy"),
    tls(() => true, { outcome: "taken", version: "TLSv1.2" }),
  ];
  const fixes = all.flatMap((changes) => judge(changes).flatMap(({ findings }) => findings.map(({ fix }) => fix)));
  expect(fixes.length).toBeGreaterThan(10);
  expect(fixes.filter((fix) => /docker/i.test(fix))).toEqual([]);
});
