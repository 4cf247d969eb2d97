import { describe, expect, it } from "vitest";
import { findingsOf } from "../model/findings.ts";
import { parseDeploymentYaml } from "./parse.ts";
import { LEAST_FILES, withValue } from "./test-files.ts";

type Values = Readonly<Record<string, unknown>>;

const REGISTRY = { host: "registry.example", port: 443, protocol: "tcp", purpose: "images", region: "eu-central-1" };
const VAULT_HOST = { ...REGISTRY, host: "vault.internal", purpose: "keys" };
const VAULT = {
  ...{ kind: "vault", address: "https://vault.internal", mount: "transit", key: "k", tokenFile: "/etc/token" },
  ...{ class: "software", acceptSoftware: "a pilot of two weeks" },
};
const PODS = { namespace: "vault", labels: { app: "vault" } };
const KUBE_DNS = { kind: "pods", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
const SERVER = { host: "db.internal", addresses: ["10.0.0.0/24"] };
const CA = { host: "ca.internal", addresses: ["10.0.0.0/24"] };
/** A file of the engine kubernetes that nothing is wrong with. */
const GOOD: Values = {
  engine: "kubernetes",
  custody: VAULT,
  "egress.allow": [REGISTRY, VAULT_HOST],
  "kubernetes.keys": PODS,
  "kubernetes.external": { "gateways-ca": CA, "operators-ca": CA },
};

const fileOf = (values: Values): object =>
  Object.entries({ ...GOOD, ...values }).reduce<object>(
    (file, [path, value]) => withValue(file, path, value),
    LEAST_FILES["eu-hosted"],
  );
const deploymentOf = (values: Values = {}) => parseDeploymentYaml(JSON.stringify(fileOf(values)), "trustkern.yaml");

function refused(values: Values): readonly string[] {
  try {
    deploymentOf(values);
  } catch (thrown) {
    return findingsOf(thrown).map(({ code, path }) => `${code} ${path}`);
  }
  return [];
}

describe("kubernetes in trustkern.yaml", () => {
  it("needs nothing: there are defaults", () => {
    expect(deploymentOf().kubernetes).toMatchObject({
      ...{ namespace: "tk-demo", storageClass: undefined, databaseBytes: 50 * 2 ** 30 },
      ...{ collector: { min: 2, max: 6 }, custody: { replicas: 1 }, publish: { service: "ClusterIP", from: [] } },
    });
  });

  it("says where external parts are, with their usual ports and names", () => {
    const { external } = deploymentOf({
      "kubernetes.external.database": { ...SERVER, caFile: "/etc/ca.pem" },
    }).kubernetes;
    expect(external.database).toEqual({
      ...{ host: "db.internal", port: 5432, servername: "db.internal", caFile: "/etc/ca.pem", region: undefined },
      peers: { kind: "addresses", networks: ["10.0.0.0/24"] },
    });
    expect(external["operators-ca"]?.port).toBe(9001);
  });

  it.each<[string, object | undefined, object]>([
    ["nothing", undefined, { peers: [KUBE_DNS], port: 53 }],
    ["nothing of a place", { port: 1053 }, { peers: [KUBE_DNS], port: 1053 }],
    [
      "a node's address alone",
      { addresses: ["169.254.20.10/32"] },
      { peers: [{ kind: "addresses", networks: ["169.254.20.10/32"] }], port: 53 },
    ],
    [
      "pods and addresses",
      { namespace: "dns", labels: { app: "dns" }, addresses: ["10.96.0.10/32", "100.64.0.10/32"], port: 5353 },
      {
        peers: [
          { kind: "pods", namespace: "dns", labels: { app: "dns" } },
          { kind: "addresses", networks: ["10.96.0.10/32", "100.64.0.10/32"] },
        ],
        port: 5353,
      },
    ],
  ])("asks for names where it says %s", (_, resolver, resolved) => {
    expect(deploymentOf({ "kubernetes.resolver": resolver }).kubernetes.resolver).toEqual(resolved);
  });

  it("has as many collectors at most as at least, where it says at least more than the usual most", () => {
    expect(deploymentOf({ "kubernetes.collector": { min: 9 } }).kubernetes.collector).toEqual({ min: 9, max: 9 });
  });

  it.each([2, 3])("has %i custodies where a server wraps their keys", (replicas) => {
    expect(deploymentOf({ "kubernetes.custody": { replicas } }).kubernetes.custody).toEqual({ replicas });
  });

  it.each<[string, Values, string]>([
    ["a namespace in capitals", { "kubernetes.namespace": "Plant" }, "CONFIG_VALUE kubernetes.namespace"],
    ["a namespace of 64", { "kubernetes.namespace": "n".repeat(64) }, "CONFIG_VALUE kubernetes.namespace"],
    ["the namespace of the API server", { "kubernetes.namespace": "default" }, "CONFIG_VALUE kubernetes.namespace"],
    [
      "a namespace of the cluster's own",
      { "kubernetes.namespace": "kube-system" },
      "CONFIG_VALUE kubernetes.namespace",
    ],
    ["an unknown member", { "kubernetes.replicas": 2 }, "CONFIG_UNKNOWN_KEY kubernetes.replicas"],
    ["no collector", { "kubernetes.collector": { min: 0 } }, "CONFIG_VALUE kubernetes.collector.min"],
    [
      "fewer at most than at least",
      { "kubernetes.collector": { min: 3, max: 2 } },
      "CONFIG_KUBERNETES kubernetes.collector.max",
    ],
    [
      "fewer at most than the usual least",
      { "kubernetes.collector": { max: 1 } },
      "CONFIG_KUBERNETES kubernetes.collector.max",
    ],
    [
      "custodies whose keys are files that a passphrase opens",
      { "kubernetes.custody": { replicas: 2 }, custody: { kind: "file" }, "kubernetes.keys": undefined },
      "CONFIG_KUBERNETES kubernetes.custody.replicas",
    ],
    [
      "custodies whose keys are on a token",
      { "kubernetes.custody": { replicas: 2 }, custody: { kind: "pkcs11" }, "kubernetes.keys": undefined },
      "CONFIG_KUBERNETES kubernetes.custody.replicas",
    ],
    ["four custodies", { "kubernetes.custody": { replicas: 4 } }, "CONFIG_VALUE kubernetes.custody.replicas"],
    ["no custody", { "kubernetes.custody": { replicas: 0 } }, "CONFIG_VALUE kubernetes.custody.replicas"],
    [
      "a service at every node",
      { "kubernetes.publish": { service: "NodePort" } },
      "CONFIG_VALUE kubernetes.publish.service",
    ],
    [
      "an address that is no network",
      { "kubernetes.publish": { from: ["10.0.0.1"] } },
      "CONFIG_VALUE kubernetes.publish.from.0",
    ],
    [
      "an external part that is unknown",
      { "kubernetes.external.broker": SERVER },
      "CONFIG_UNKNOWN_KEY kubernetes.external.broker",
    ],
    [
      "an external part without a host",
      { "kubernetes.external.database": { addresses: ["10.0.0.0/24"] } },
      "CONFIG_MISSING kubernetes.external.database.host",
    ],
    [
      "an external part without a place",
      { "kubernetes.external.database": { host: "db.internal" } },
      "CONFIG_MISSING kubernetes.external.database.addresses",
    ],
    [
      "two places",
      { "kubernetes.external.database": { ...SERVER, ...PODS } },
      "CONFIG_VALUE kubernetes.external.database.namespace",
    ],
    ["a whole namespace", { "kubernetes.keys": { namespace: "vault" } }, "CONFIG_MISSING kubernetes.keys.labels"],
    ["pods without a label", { "kubernetes.keys": { ...PODS, labels: {} } }, "CONFIG_VALUE kubernetes.keys.labels"],
    [
      "a label that is none",
      { "kubernetes.keys": { ...PODS, labels: { "a b": "c" } } },
      "CONFIG_VALUE kubernetes.keys.labels.a b",
    ],
    [
      "a value of a label that is none",
      { "kubernetes.keys": { ...PODS, labels: { app: "a b" } } },
      "CONFIG_VALUE kubernetes.keys.labels.app",
    ],
    [
      "the whole Internet",
      { "kubernetes.keys": { addresses: ["0.0.0.0/0"] } },
      "CONFIG_VALUE kubernetes.keys.addresses",
    ],
    [
      "a network larger than a /16",
      { "kubernetes.keys": { addresses: ["10.0.0.0/15"] } },
      "CONFIG_VALUE kubernetes.keys.addresses",
    ],
    [
      "a resolver's pods without labels",
      { "kubernetes.resolver": { namespace: "dns" } },
      "CONFIG_MISSING kubernetes.resolver.labels",
    ],
    [
      "a resolver's pods without a namespace",
      { "kubernetes.resolver": { labels: { app: "dns" } } },
      "CONFIG_MISSING kubernetes.resolver.namespace",
    ],
    [
      "no address of a resolver",
      { "kubernetes.resolver": { addresses: [] } },
      "CONFIG_VALUE kubernetes.resolver.addresses",
    ],
    [
      "an unknown member of a resolver",
      { "kubernetes.resolver": { host: "dns" } },
      "CONFIG_UNKNOWN_KEY kubernetes.resolver.host",
    ],
    ...[
      "8.8.8.8/32",
      "0.0.0.0/0",
      "10.0.0.0/8",
      "10.0.0.0/15",
      "172.32.0.0/24",
      "100.128.0.1/32",
      "169.254.0.0/16",
      "169.254.20.0/24",
      "127.0.0.1/32",
    ].map((network): [string, Values, string] => [
      `a resolver at ${network}`,
      { "kubernetes.resolver": { addresses: ["10.96.0.10/32", network] } },
      "CONFIG_VALUE kubernetes.resolver.addresses",
    ]),
    ...[0, 22, 80, 443, 1023, 65_536, 5353.5].map((port): [string, Values, string] => [
      `a resolver at port ${port}`,
      { "kubernetes.resolver": { port } },
      "CONFIG_VALUE kubernetes.resolver.port",
    ]),
    [
      "authorities of what is under the deployment's root",
      { "kubernetes.external.loki": { ...SERVER, caFile: "/etc/ca.pem" } },
      "CONFIG_VALUE kubernetes.external.loki.caFile",
    ],
    ["no place of custody's keys", { "kubernetes.keys": undefined }, "CONFIG_KUBERNETES kubernetes.keys"],
    [
      "a place of keys that nobody reaches",
      { "kubernetes.issuingKeys": PODS },
      "CONFIG_KUBERNETES kubernetes.issuingKeys",
    ],
    [
      "a database elsewhere",
      { "kubernetes.external.database": { ...SERVER, region: "us-east-1" } },
      "CONFIG_PROFILE kubernetes.external.database.region",
    ],
  ])("refuses %s", (_, values, finding) => {
    expect(refused(values)).toContain(finding);
  });

  it("is for its engine alone", () => {
    expect(refused({ ...LEAST_FILES["eu-hosted"], "kubernetes.keys": PODS })).toEqual(["CONFIG_KUBERNETES kubernetes"]);
  });

  it("refuses keys that are on a machine, where no pod sees them", () => {
    const token = { kind: "pkcs11", module: "/usr/lib/t.so", token: "custody", pinFile: "/etc/pin" };
    const values = { custody: token, "kubernetes.keys": undefined, "egress.allow": [REGISTRY] };
    expect(refused(values)).toEqual(["CONFIG_ENGINE_KEYS custody.kind"]);
    expect(refused({ ...values, "kubernetes.external": undefined })).toEqual([
      "CONFIG_ENGINE_KEYS pki.issuing.kind",
      "CONFIG_ENGINE_KEYS custody.kind",
    ]);
  });
});
