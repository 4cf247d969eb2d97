import { resolve } from "node:path";
import type { KubernetesProviderConfig } from "@cdktf/provider-kubernetes/lib/provider/index.js";
import type { Construct } from "constructs";
import { z } from "zod";
import { KubernetesStack } from "../kubernetes/cdktf.ts";
import { cdktfErrors } from "./errors.ts";
import { lockBeside, planOf, readDeployment } from "./read-plan.ts";
import { STATE_FILE } from "./stack.ts";

/** What a deployment in a cdktf app is made of. */
export interface TrustKernStackArgs {
  /** Path of the deployment file, `trustkern.yaml`. */
  readonly file: string;
  /**
   * File that `trustkern images lock` wrote.
   * @default `images.lock.yaml` beside the deployment file
   */
  readonly imageLock?: string;
  /**
   * How the provider reaches the cluster, such as `{ configPath: "~/.kube/config", configContext: "plant" }`.
   * @default what `KUBE_CONFIG_PATH` and the other variables of the provider say
   */
  readonly provider?: KubernetesProviderConfig;
  /**
   * Who says where Terraform's state goes: `state` of the deployment file, or the app, which then adds a back end to the stack.
   * @default "deployment"
   */
  readonly backend?: "deployment" | "app";
}

const Args = z.strictObject({
  file: z.string().min(1),
  imageLock: z.string().min(1).optional(),
  provider: z.looseObject({}).optional(),
  backend: z.enum(["deployment", "app"]).optional(),
});

/**
 * A deployment of the engine kubernetes as a stack of a cdktf app: the objects that `trustkern export kubernetes` writes, each as a
 * resource, and held against the plan once more when the app is synthesised.
 */
export class TrustKernStack extends KubernetesStack {
  /**
   * Reads the deployment file and its image lock, and asks no cluster and no registry.
   * @throws CDKTF_ARGUMENTS, CDKTF_ENGINE, CONFIG_INVALID, IMAGES_LOCK_INVALID, IMAGES_SOURCE_DIFFERS, IMAGES_MISMATCH,
   * BOUNDARY_BROKEN, KUBERNETES_REFUSED, KUBERNETES_TERRAFORM, and what planning throws
   */
  constructor(scope: Construct, id: string, args: TrustKernStackArgs) {
    assertArgs(args);
    const file = resolve(args.file);
    const deployment = readDeployment(file);
    if (deployment.engine !== "kubernetes") {
      const message = `the deployment has the engine "${deployment.engine}"; accepted: kubernetes`;
      throw cdktfErrors.error("CDKTF_ENGINE", message, { path: file });
    }
    super(scope, id, {
      plan: planOf(deployment, resolve(args.imageLock ?? lockBeside(file))),
      state: args.backend === "app" ? undefined : { backend: deployment.state, localFile: STATE_FILE },
      provider: args.provider,
    });
  }
}

function assertArgs(args: unknown): void {
  const { error } = Args.safeParse(args);
  if (error === undefined) return;
  const wrong = error.issues.map(({ path, message }) => `${path.join(".") || "arguments"}: ${message}`);
  const message = `the arguments of TrustKernStack: ${wrong.join("; ")}`;
  throw cdktfErrors.error("CDKTF_ARGUMENTS", message, { path: error.issues[0]?.path.join(".") });
}
