import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildModel } from "../../modules/index.ts";
import { renderImageLock } from "../../operations/images/lock-file.ts";
import { imageNamesOf, referenceOf } from "../../operations/images/lock-images.ts";
import { digestOf } from "../../operations/images/signatures/test-signer.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { kubernetesPlacement } from "../../stacks/kubernetes/placement.ts";
import { PROJECT } from "./deployment.ts";

/** Copies examples/customer-tenant to a folder, with a lock of its images as its mirror could have given it. */
export function copyCustomerTenant(folder: string): void {
  cpSync(join(PROJECT, "examples", "customer-tenant"), folder, { recursive: true });
  const deployment = parseDeploymentYaml(readFileSync(join(folder, "trustkern.yaml"), "utf8"), "trustkern.yaml");
  const names = imageNamesOf(buildModel(deployment, kubernetesPlacement(deployment)));
  const images = names.map((name) => {
    return [name, { reference: referenceOf(deployment.images, name, "0.1.0"), digest: digestOf(name) }] as const;
  });
  const lock = renderImageLock({ source: deployment.images.source, images: Object.fromEntries(images) });
  writeFileSync(join(folder, "images.lock.yaml"), lock);
}
