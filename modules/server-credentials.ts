import type { Placement } from "../model/placement.ts";

/** Secrets with what a server of keys knows its client by, where a pod reaches one: of Vault, with its authorities, and of AWS. */
export const SERVER_SECRETS = { vaultToken: "vault.token", vaultCa: "vault.crt", aws: "aws.credentials" } as const;

/** The variables by which the SDKs of AWS find credentials in a file, and ask the machine for none. */
export function awsEnvironment(placement: Placement, component: string): Readonly<Record<string, string>> {
  return {
    AWS_SHARED_CREDENTIALS_FILE: placement.secretFile(component, SERVER_SECRETS.aws),
    AWS_EC2_METADATA_DISABLED: "true",
  };
}
