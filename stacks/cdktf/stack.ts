import { App, HttpBackend, LocalBackend, S3Backend, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { StateBackend } from "../../model/deployment.ts";
import { stableJson } from "../../shared/stable-json.ts";

/** File of the `local` back end: beside the stack, in the folder that OpenTofu or Terraform works in. */
export const STATE_FILE = "terraform.tfstate";

/** Where the stack's own state goes. */
export interface StackState {
  readonly backend: StateBackend;
  /** {@link STATE_FILE}, as the `local` back end is told. */
  readonly localFile: string;
}

/** What the stacks of all engines have in common: where their state goes, and JSON that names no release of the library. */
export abstract class EngineStack extends TerraformStack {
  /** Without `state` whoever makes the stack adds a back end. */
  constructor(scope: Construct, id: string, state: StackState | undefined) {
    super(scope, id);
    if (state !== undefined) addBackend(this, state);
  }

  /** Without the release of the library, so that a new one changes no stack. */
  override toTerraform(): unknown {
    const { "//": comment, ...stack } = super.toTerraform();
    const { version: _, ...metadata } = comment.metadata;
    return { "//": { ...comment, metadata }, ...stack };
  }
}

/** The Terraform JSON of a stack, such as `cdktf synth` writes it. */
export function jsonOf(make: (scope: Construct) => EngineStack): unknown {
  const stack = make(new Root());
  stack.prepareStack();
  stack.runAllValidations();
  return JSON.parse(stableJson(stack.toTerraform()));
}

/** Writes the Terraform JSON and the manifest to the folder that `cdktf synth` names, or to `cdktf.out`. */
export function writeStack(make: (scope: Construct) => EngineStack): void {
  const app = new App();
  make(app);
  app.synth();
}

/** A tree without an `App`, which would make folders. */
class Root extends Construct {
  constructor() {
    super(undefined as never, "");
  }
}

function addBackend(stack: TerraformStack, { backend, localFile }: StackState): void {
  if (backend.kind === "local") {
    new LocalBackend(stack, { path: localFile });
  } else if (backend.kind === "http") {
    const { address } = backend;
    new HttpBackend(stack, { address, lockAddress: address, unlockAddress: address });
  } else {
    const { bucket, key, region, endpoint } = backend;
    // A service that is not Amazon's has no account ids, no instance metadata, and regions of its own.
    const compatible = {
      endpoints: { s3: endpoint ?? "" },
      usePathStyle: true,
      skipCredentialsValidation: true,
      skipRegionValidation: true,
      skipRequestingAccountId: true,
      skipMetadataApiCheck: true,
    };
    new S3Backend(stack, { bucket, key, region, encrypt: true, ...(endpoint === undefined ? {} : compatible) });
    stack.addOverride("terraform.backend.s3.use_lockfile", true);
  }
}
