import type { Deployment } from "../model/deployment.ts";

/** Something that a profile accepts and that whoever reads the file is reminded of each time. */
export interface DeploymentWarning {
  /** Path in `trustkern.yaml`. */
  readonly path: string;
  readonly message: string;
}

/** What is accepted, and should not be overlooked. */
export function deploymentWarnings({
  profile,
  custody,
}: Pick<Deployment, "profile" | "custody">): readonly DeploymentWarning[] {
  if (profile === "dev" || custody.kind !== "file") return [];
  const message =
    "the decryption keys are in a file of this machine: whoever copies it and learns its passphrase can decrypt, and nobody would see it; a TPM or a token gives no copy";
  return [{ path: "custody.kind", message }];
}
