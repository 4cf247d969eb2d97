import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { LEAST_FILES } from "../../profiles/test-files.ts";
import type { ImagePins } from "../docker/images.ts";
import { kubernetesPlacement } from "./placement.ts";
import { type KubernetesPlan, planKubernetes } from "./plan.ts";

const REGISTRY = { host: "registry.example", port: 443, protocol: "tcp", purpose: "images", region: "eu-central-1" };
const KMS = { ...REGISTRY, host: "kms.eu-central-1.amazonaws.com", purpose: "keys" };
const vault = (more: object = {}) => ({
  ...{ kind: "vault", address: "https://vault.internal:8200", mount: "transit", key: "plant", tokenFile: "/etc/token" },
  ...{ class: "software", acceptSoftware: "the server itself is on an HSM of the site", owner: "customer" },
  ...more,
});
const VAULT_HOST = { host: "vault.internal", port: 8200, protocol: "tcp", purpose: "keys" };
const VAULT_PODS = { namespace: "vault", labels: { "app.kubernetes.io/name": "vault" } };
const ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ISSUING_KMS = { kind: "aws-kms", region: "eu-central-1", keys: { services: "a", gateways: "b", operators: "c" } };

/** For tests: files of each profile that a cluster is for. */
export const KUBERNETES_FILES = {
  "eu-hosted": {
    ...LEAST_FILES["eu-hosted"],
    engine: "kubernetes",
    gateways: ["gw-01", "gw-02"],
    custody: { kind: "aws-kms", keyId: ID },
    pki: { issuing: ISSUING_KMS },
    egress: { allow: [REGISTRY, KMS] },
    kubernetes: {
      storageClass: "fast-encrypted",
      collector: { min: 2, max: 4 },
      custody: { replicas: 3 },
      // The name server of each node, and what it asks.
      resolver: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" }, addresses: ["169.254.20.10/32"] },
      keys: { addresses: ["10.20.1.0/28"] },
      issuingKeys: { addresses: ["10.20.1.16/28"] },
      publish: { service: "LoadBalancer", from: ["192.0.2.0/24"] },
    },
  },
  "customer-tenant": {
    ...LEAST_FILES["customer-tenant"],
    engine: "kubernetes",
    pki: { issuing: ISSUING_KMS },
    custody: vault(),
    egress: { allow: [REGISTRY, VAULT_HOST, KMS] },
    kubernetes: {
      namespace: "plant",
      collector: { min: 3, max: 3 },
      keys: VAULT_PODS,
      issuingKeys: { addresses: ["10.20.1.16/28"] },
      external: {
        database: { host: "rows.internal", port: 6432, addresses: ["10.30.0.0/24"], caFile: "/etc/rows-ca.pem" },
        prometheus: { host: "prometheus.monitoring.svc", namespace: "monitoring", labels: { app: "prometheus" } },
        loki: { host: "loki.monitoring.svc", namespace: "monitoring", labels: { app: "loki" } },
        grafana: { namespace: "monitoring", labels: { app: "grafana" } },
      },
    },
  },
  "air-gapped": {
    ...LEAST_FILES["air-gapped"],
    engine: "kubernetes",
    custody: vault({ escrow: { threshold: 2, holders: ["a", "b"].map((name) => ({ name, operator: "customer" })) } }),
    egress: { mode: "restricted", allow: [VAULT_HOST] },
    kubernetes: {
      keys: VAULT_PODS,
      publish: { from: ["10.8.0.0/16"] },
      resolver: { namespace: "names", labels: { "dns.operator/daemonset": "default" }, port: 5353 },
      external: {
        "gateways-ca": { host: "ca.internal", addresses: ["10.40.0.8/32"] },
        "operators-ca": { host: "ca.internal", port: 9443, addresses: ["10.40.0.9/32"] },
      },
    },
  },
} as const;

/** For tests: the deployment of a file's value. */
export function deploymentOf(file: object): Deployment {
  return parseDeploymentYaml(JSON.stringify(file), "trustkern.yaml");
}

/** For tests: a model with its plan and a pin for each image. */
export interface TestPlan {
  readonly deployment: Deployment;
  readonly model: Model;
  readonly images: ImagePins;
  readonly plan: KubernetesPlan;
}

/** For tests: the plan of a deployment, its images locked. */
export function testPlan(deployment: Deployment): TestPlan {
  const model = buildModel(deployment, kubernetesPlacement(deployment));
  const pins = model.components.flatMap(({ image }) => {
    if (image === undefined) return [];
    const digest = `sha256:${Buffer.from(image).toString("hex").padEnd(64, "0").slice(0, 64)}`;
    return [[image, { reference: `registry.example:5000/${image}:1.0.0`, digest }] as const];
  });
  const images: ImagePins = { source: deployment.images.source, images: Object.fromEntries(pins) };
  return { deployment, model, images, plan: planKubernetes(model, { deployment, images }) };
}
