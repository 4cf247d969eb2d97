import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type End, mayConnect, type Target } from "./may-connect.ts";
import type { NetworkPolicy } from "./objects.ts";

type Spec = NetworkPolicy["spec"];

const policy = (spec: object, namespace = "a"): NetworkPolicy => ({
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "p", namespace } },
  spec: spec as Spec,
});
const pod = (labels: Record<string, string>, namespace = "a", ports = {}): End => ({
  ...{ kind: "pod", namespace, namespaceLabels: { team: namespace }, labels, address: "10.1.1.1", ports },
});
const outside = (address: string): End => ({ kind: "outside", address });
const https: Target = { port: 443, protocol: "TCP" };
const [web, db] = [pod({ app: "web", tier: "front" }), pod({ app: "db" }, "a", { sql: 5432 })];
const toDb = (rule: object) => [
  policy({ podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"], ingress: [rule] }),
];
const fromWeb = (rule: object) => [
  policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"], egress: [rule] }),
];
const DENY = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });

describe("without a policy that selects it", () => {
  it("a pod is open in both directions", () => {
    expect(mayConnect([], web, db, https)).toBe(true);
    expect(mayConnect([], outside("1.2.3.4"), db, https)).toBe(true);
  });

  it("a pod of another namespace stays open", () => {
    expect(mayConnect([{ ...DENY, metadata: { name: "p", namespace: "b" } }], web, db, https)).toBe(true);
  });

  it("of a direction, it stays open in that one", () => {
    const egressOnly = policy({ podSelector: {}, policyTypes: ["Egress"] });
    expect(mayConnect([egressOnly], outside("1.2.3.4"), db, https)).toBe(true);
    expect(mayConnect([egressOnly], db, outside("1.2.3.4"), https)).toBe(false);
  });
});

describe("with a policy that selects it and lists nothing", () => {
  it("a pod is closed", () => {
    expect(mayConnect([DENY], web, db, https)).toBe(false);
    expect(mayConnect([DENY], outside("1.2.3.4"), db, https)).toBe(false);
    expect(mayConnect([DENY], db, outside("1.2.3.4"), https)).toBe(false);
  });

  it("without types a policy is of ingress alone, and of egress where it has rules for that", () => {
    expect(mayConnect([policy({ podSelector: {} })], outside("1.2.3.4"), web, https)).toBe(false);
    expect(mayConnect([policy({ podSelector: {} })], web, outside("1.2.3.4"), https)).toBe(true);
    const both = policy({ podSelector: {}, egress: [{ ports: [{ port: 53 }] }] });
    expect(mayConnect([both], web, outside("1.2.3.4"), https)).toBe(false);
  });
});

describe("a rule", () => {
  it.each<[string, object, boolean]>([
    ["without peers is for everybody", {}, true],
    ["with an empty list of peers is for everybody", { from: [] }, true],
    ["with the pod's labels", { from: [{ podSelector: { matchLabels: { app: "web" } } }] }, true],
    [
      "with one label more than the pod has",
      { from: [{ podSelector: { matchLabels: { app: "web", x: "y" } } }] },
      false,
    ],
    ["with every pod", { from: [{ podSelector: {} }] }, true],
    ["with other labels", { from: [{ podSelector: { matchLabels: { app: "db" } } }] }, false],
    ["with its namespace", { from: [{ namespaceSelector: { matchLabels: { team: "a" } } }] }, true],
    ["with another namespace", { from: [{ namespaceSelector: { matchLabels: { team: "b" } } }] }, false],
    [
      "with its labels in another namespace",
      { from: [{ namespaceSelector: { matchLabels: { team: "b" } }, podSelector: { matchLabels: { app: "web" } } }] },
      false,
    ],
    [
      "with one peer of two",
      { from: [{ podSelector: { matchLabels: { app: "x" } } }, { podSelector: { matchLabels: { app: "web" } } }] },
      true,
    ],
    ["with a block that holds the pod's address", { from: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }, false],
    ["with an empty peer", { from: [{}] }, false],
    ["with the port", { ports: [{ port: 443, protocol: "TCP" }] }, true],
    ["with an empty list of ports", { ports: [] }, true],
    ["with another port", { ports: [{ port: 444 }] }, false],
    ["with another protocol", { ports: [{ port: 443, protocol: "UDP" }] }, false],
    ["with a port without protocol, which is TCP", { ports: [{ port: 443 }] }, true],
    ["with a protocol alone", { ports: [{ protocol: "TCP" }] }, true],
    ["with a range that holds it", { ports: [{ port: 400, endPort: 443 }] }, true],
    ["with a range that ends before", { ports: [{ port: 400, endPort: 442 }] }, false],
    ["with a named port that it is not", { ports: [{ port: "sql" }] }, false],
  ])("%s: %s", (_, rule, expected) => {
    expect(mayConnect(toDb(rule), web, db, https)).toBe(expected);
  });

  it("with a named port is for the number that the listener gives that name", () => {
    const rule = toDb({ ports: [{ port: "sql" }] });
    expect(mayConnect(rule, web, db, { port: 5432, protocol: "TCP" })).toBe(true);
    expect(mayConnect(rule, web, db, { port: 5432, protocol: "UDP" })).toBe(false);
  });

  it("selects by expressions", () => {
    const by = (...matchExpressions: object[]) =>
      mayConnect(toDb({ from: [{ podSelector: { matchExpressions } }] }), web, db, https);
    expect(by({ key: "tier", operator: "Exists" })).toBe(true);
    expect(by({ key: "none", operator: "Exists" })).toBe(false);
    expect(by({ key: "none", operator: "DoesNotExist" })).toBe(true);
    expect(by({ key: "tier", operator: "DoesNotExist" })).toBe(false);
    expect(by({ key: "app", operator: "In", values: ["web", "x"] })).toBe(true);
    expect(by({ key: "none", operator: "In", values: ["web"] })).toBe(false);
    expect(by({ key: "app", operator: "NotIn", values: ["web"] })).toBe(false);
    expect(by({ key: "none", operator: "NotIn", values: ["web"] })).toBe(true);
    expect(by({ key: "app", operator: "Near" })).toBe(false);
    expect(by({ key: "app", operator: "In", values: ["web"] }, { key: "tier", operator: "DoesNotExist" })).toBe(false);
    expect(by({ key: "toString", operator: "Exists" })).toBe(false);
  });

  it("with a block is for addresses in it, but for those that it leaves out", () => {
    const rule = fromWeb({ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.2.0.0/16"] } }] });
    expect(mayConnect(rule, web, outside("10.1.0.1"), https)).toBe(true);
    expect(mayConnect(rule, web, outside("10.2.0.1"), https)).toBe(false);
    expect(mayConnect(rule, web, outside("11.0.0.1"), https)).toBe(false);
    expect(mayConnect(rule, web, outside("fd00::1"), https)).toBe(false);
  });
});

it("asks both ends", () => {
  const [out, into] = [
    fromWeb({ to: [{ podSelector: { matchLabels: { app: "db" } } }] }),
    toDb({ from: [{ podSelector: { matchLabels: { app: "web" } } }] }),
  ];
  expect(mayConnect([DENY, ...out, ...into], web, db, https)).toBe(true);
  expect(mayConnect([DENY, ...out], web, db, https)).toBe(false);
  expect(mayConnect([DENY, ...into], web, db, https)).toBe(false);
});

const labels = fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("web", "db"));
const anyPod = fc
  .record({ labels, namespace: fc.constantFrom("a", "b") })
  .map((each) => pod(each.labels, each.namespace));
const peer = fc.oneof(
  labels.map((matchLabels) => ({ podSelector: { matchLabels } })),
  fc.constantFrom("a", "b").map((team) => ({ namespaceSelector: { matchLabels: { team } } })),
);
const port = fc.record({ port: fc.integer({ min: 440, max: 445 }), protocol: fc.constantFrom("TCP", "UDP") });
const ingressPolicy = fc
  .record({ labels, from: fc.array(peer, { maxLength: 3 }), ports: fc.array(port, { maxLength: 3 }) })
  .map(({ labels: matchLabels, from, ports }) =>
    policy({ podSelector: { matchLabels }, policyTypes: ["Ingress"], ingress: [{ from, ports }] }),
  );

it("opens nothing by one policy less, once a pod is selected", () => {
  fc.assert(
    fc.property(fc.array(ingressPolicy, { maxLength: 4 }), anyPod, anyPod, fc.nat(3), (policies, from, to, index) => {
      const rest = policies.filter((_, each) => each !== index);
      const [all, fewer] = [policies, rest].map((each) =>
        mayConnect([DENY, policy(DENY.spec, "b"), ...each], from, to, https),
      );
      return all || !fewer;
    }),
  );
});

it("does not depend on the order of policies", () => {
  fc.assert(
    fc.property(fc.array(ingressPolicy, { maxLength: 4 }), anyPod, anyPod, (policies, from, to) => {
      expect(mayConnect(policies.toReversed(), from, to, https)).toBe(mayConnect(policies, from, to, https));
    }),
  );
});
