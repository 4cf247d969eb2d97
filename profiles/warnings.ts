import type { Deployment } from "../model/deployment.ts";

/** Something that a profile accepts and that whoever reads the file is reminded of each time. */
export interface DeploymentWarning {
  /** Path in `trustkern.yaml`. */
  readonly path: string;
  readonly message: string;
}

/** What is accepted, and should not be overlooked, at a time. */
export function deploymentWarnings(
  deployment: Pick<Deployment, "profile" | "custody" | "support">,
  now: Date,
): readonly DeploymentWarning[] {
  return [...keysInFile(deployment), ...grantIsOver(deployment, now)];
}

/** A grant that has ended is no access any more, and whoever wrote it may not know. */
function grantIsOver({ support }: Pick<Deployment, "support">, now: Date): readonly DeploymentWarning[] {
  if (support.access !== "granted" || Date.parse(support.until) > now.getTime()) return [];
  const message = `${support.until} is past: nobody gets in by this grant; say access: off, or name a later time`;
  return [{ path: "support.until", message }];
}

function keysInFile({ profile, custody }: Pick<Deployment, "profile" | "custody">): readonly DeploymentWarning[] {
  if (profile === "dev" || custody.kind !== "file") return [];
  const message =
    "the decryption keys are in a file of this machine: whoever copies it and learns its passphrase can decrypt, and nobody would see it; a TPM or a token gives no copy";
  return [{ path: "custody.kind", message }];
}
