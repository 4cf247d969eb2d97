import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Deployment } from "../../../model/deployment.ts";
import { deploymentOf, KUBERNETES_FILES, type TestPlan, testPlan } from "../test-deployments.ts";
import type { ClusterOptions } from "./options.ts";

/** For tests: bytes that may stand in Secrets alone. */
export const VAULT_CANARY = "hvs.canary-of-the-token-that-custody-has";

/** For tests: a deployment whose whole secret store can be made here, as no profile has it: authorities in files. */
export function fileDeployment(dir: string): Deployment {
  const file = KUBERNETES_FILES["air-gapped"];
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "token"), VAULT_CANARY);
  const deployment = deploymentOf({ ...file, custody: { ...file.custody, tokenFile: join(dir, "token") } });
  return {
    ...deployment,
    pki: { ...deployment.pki, root: { kind: "age" }, issuing: { kind: "file" } } as Deployment["pki"],
  };
}

/** For tests: everything that a command is handed, and what it has said. */
export interface TestSite extends TestPlan {
  readonly options: ClusterOptions;
  readonly said: string[];
}

/** For tests: a command that finds its cluster by a kubeconfig. */
export function testSite(dir: string, kubeconfig: string, deployment = fileDeployment(dir)): TestSite {
  const said: string[] = [];
  const test = testPlan(deployment);
  const options: ClusterOptions = {
    ...{
      deployment,
      images: test.images,
      dir: join(dir, ".trustkern"),
      temporaryDir: dir,
      env: { KUBECONFIG: kubeconfig },
    },
    ...{ clock: () => new Date(), pid: process.pid, signal: new AbortController().signal },
    onProgress: (what) => said.push(what),
    onWarning: (what) => said.push(what),
  };
  return { ...test, options, said };
}
