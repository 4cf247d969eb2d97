import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { renderImageLock } from "../../operations/images/lock-file.ts";
import { referenceOf } from "../../operations/images/lock-images.ts";
import { controlErrors } from "../../shared/control-client.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../stacks/kubernetes/test-deployments.ts";

const NAMES = [
  ...["backend", "broker", "collector", "custody", "custody-broker", "database", "gateway", "loki", "prometheus"],
  ...["schema", "shipper", "simulator", "step-ca", "probe"],
];
const LOCK = `schema: trustkern.images/1\nsource: packages\nimages:\n${NAMES.map(
  (name) => `  ${name}: {reference: "trustkern/${name}:0.1.0", digest: "sha256:${"0".repeat(64)}"}\n`,
).join("")}`;

/** For tests of commands: a folder with a deployment of Docker and its lock of images; whoever made it removes it. */
export function exampleFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tk-example-"));
  cpSync(join("examples", "single-host", "trustkern.yaml"), join(folder, "trustkern.yaml"));
  writeFileSync(join(folder, "images.lock.yaml"), LOCK);
  return folder;
}

/** For tests of commands: a folder with a deployment for a cluster that does not answer, its lock of images and a kubeconfig. */
export function clusterFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tk-cluster-"));
  const file = KUBERNETES_FILES["customer-tenant"];
  writeFileSync(join(folder, "trustkern.yaml"), stringify(file));
  const { deployment, model } = testPlan(deploymentOf(file));
  const names = new Set(model.components.flatMap(({ image }) => image ?? []));
  const images = [...names].map((name) => {
    const reference = referenceOf(deployment.images, name, "1.0.0");
    return [name, { reference, digest: `sha256:${"a".repeat(64)}` }] as const;
  });
  const lock = renderImageLock({ source: "registry", images: Object.fromEntries(images) });
  writeFileSync(join(folder, "images.lock.yaml"), lock);
  mkdirSync(join(folder, ".kube"));
  const config = {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "away" },
    clusters: [{ name: "away", cluster: { server: "https://127.0.0.1:1" } }],
    contexts: [{ name: "away", context: { cluster: "away", user: "nobody" } }],
    users: [{ name: "nobody", user: {} }],
  };
  writeFileSync(join(folder, ".kube", "config"), stringify(config));
  return folder;
}

/**
 * For tests of commands: in place of `certs-context.ts`, a host without any certificate, whose deployment does not answer.
 * @param of what is asked when a command runs: the folder, and the time
 */
export function awaySite(of: () => { readonly cwd: string; readonly at: Date }) {
  return {
    certsSite: async () => ({
      layout: layoutOf(join(of().cwd, ".trustkern"), tmpdir()),
      model: { components: [] },
      tenant: "demo",
      clock: () => of().at,
      pki: { ledger: { revocations: () => [], records: () => [] }, leafFiles: () => [] },
      operator: async () => {
        throw controlErrors.error("CONTROL_UNREACHABLE", "away");
      },
    }),
  };
}
