import { dirname } from "node:path";
import type { OnlineClass } from "../../certs/names.ts";
import type { KeyPlace } from "../../certs/signers/key-place.ts";
import { type StepCaKey, stepCaKey } from "../../certs/signers/step-ca-kms.ts";
import { stepCaComponent } from "../../certs/step-ca/names.ts";
import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { hostSocket, hostTpm } from "../host-keys.ts";
import { awsEnvironment, SERVER_SECRETS } from "../server-credentials.ts";

/** Name of a file of its secrets by what that is; which of them there are follows from where the key is. */
export const KEY_SECRETS = { key: "intermediate.key", password: "intermediate.password", pin: "token.pin" } as const;

/** Secret with the key that a TPM alone can open. */
export function tpmKeySecret(leafClass: OnlineClass): string {
  return `${leafClass}.tss2.pem`;
}

/** A PKCS #11 library that has another one, the host's, do its work. `$LIB` is the architecture's folder (ld.so(8)). */
const P11_KIT_CLIENT = "/usr/$LIB/pkcs11/p11-kit-client.so";

/**
 * A KMS has a certificate of a public authority, so those are trusted beside the deployment's root. Nobody stands in for the backend
 * with that: its names end in `.internal` or `.svc`, which no public authority may certify.
 */
const PUBLIC_AUTHORITIES = { SSL_CERT_DIR: "/etc/ssl/certs" } as const;

/** How a component reaches its key, and what it has to be given for that. */
export interface IssuingKey extends Pick<Component, "exceptions" | "environment"> {
  readonly image: "step-ca" | "step-ca-pkcs11";
  readonly config: StepCaKey;
  /** Names of its secrets beyond those that every authority has. */
  readonly secrets: readonly string[];
  /** Arguments of step-ca before its configuration. */
  readonly args: readonly string[];
}

/** How the authority of a class reaches its key inside its container. */
export function issuingKey(
  { engine, pki: { issuing }, docker }: Deployment,
  placement: Placement,
  leafClass: OnlineClass,
): IssuingKey {
  const secret = (name: string): string => placement.secretFile(stepCaComponent(leafClass), name);
  const config = (place: KeyPlace | { readonly kind: "file" }): StepCaKey =>
    stepCaKey(place, leafClass, secret(KEY_SECRETS.key));
  const common = { image: "step-ca", args: [], secrets: [], environment: {}, exceptions: [] } as const;
  if (issuing.kind === "file") {
    const { key, password } = KEY_SECRETS;
    return {
      ...common,
      config: config(issuing),
      args: ["--password-file", secret(password)],
      secrets: [key, password],
    };
  }
  if (issuing.kind === "pkcs11") {
    const { device, exceptions } = hostSocket(placement, docker.tokenSocket, "on a token");
    const place = { ...issuing, module: P11_KIT_CLIENT, pinFile: secret(KEY_SECRETS.pin) };
    return {
      ...{ ...common, config: config(place), image: "step-ca-pkcs11", secrets: [KEY_SECRETS.pin] },
      ...{ environment: { P11_KIT_SERVER_ADDRESS: `unix:path=${device}` }, exceptions },
    };
  }
  if (issuing.kind === "tpm2") {
    const { device, exceptions } = hostTpm(placement, issuing.device);
    const place = { kind: "tpm2", device, folder: dirname(secret(KEY_SECRETS.key)) } as const;
    return { ...common, config: config(place), secrets: [tpmKeySecret(leafClass)], exceptions };
  }
  const reached = { ...common, config: config(issuing), environment: PUBLIC_AUTHORITIES };
  if (engine !== "kubernetes") return reached;
  const credentials = awsEnvironment(placement, stepCaComponent(leafClass));
  return { ...reached, secrets: [SERVER_SECRETS.aws], environment: { ...PUBLIC_AUTHORITIES, ...credentials } };
}
