import { dirname } from "node:path";
import type { OnlineClass } from "../../certs/names.ts";
import type { KeyPlace } from "../../certs/signers/key-place.ts";
import { type StepCaKey, stepCaKey } from "../../certs/signers/step-ca-kms.ts";
import { stepCaComponent } from "../../certs/step-ca/names.ts";
import type { Component, Exception } from "../../model/component.ts";
import type { Deployment, IssuingKeys } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { TPM_DEVICE } from "../../profiles/host-socket.ts";

/** Name of a file of its secrets by what that is; which of them there are follows from where the key is. */
export const KEY_SECRETS = { key: "intermediate.key", password: "intermediate.password", pin: "token.pin" } as const;

/** Secret with the key that a TPM alone can open. */
export function tpmKeySecret(leafClass: OnlineClass): string {
  return `${leafClass}.tss2.pem`;
}

/** A PKCS #11 library that has another one, the host's, do its work. `$LIB` is the architecture's folder (ld.so(8)). */
const P11_KIT_CLIENT = "/usr/$LIB/pkcs11/p11-kit-client.so";

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
  { pki: { issuing }, docker }: Deployment,
  placement: Placement,
  leafClass: OnlineClass,
): IssuingKey {
  const secret = (name: string): string => placement.secretFile(stepCaComponent(leafClass), name);
  const socket = placement.socket("host", "keys");
  const config = stepCaKey(insideOf(issuing, socket, secret), leafClass, secret(KEY_SECRETS.key));
  const common = { image: "step-ca", config, args: [], secrets: [], environment: {}, exceptions: [] } as const;
  if (issuing.kind === "file") {
    const { key, password } = KEY_SECRETS;
    return { ...common, args: ["--password-file", secret(password)], secrets: [key, password] };
  }
  if (issuing.kind === "pkcs11") {
    return {
      ...common,
      image: "step-ca-pkcs11",
      secrets: [KEY_SECRETS.pin],
      environment: { P11_KIT_SERVER_ADDRESS: `unix:path=${socket}` },
      exceptions: [reaching("a socket of the host's", `host-socket:${docker.tokenSocket}`, "on a token")],
    };
  }
  if (issuing.kind === "tpm2") {
    const exception = TPM_DEVICE.test(issuing.device)
      ? reaching("a device of the host's", `device:${issuing.device}`, "in the TPM")
      : reaching("a socket of the host's", `host-socket:${issuing.device}`, "in a TPM's simulator");
    return { ...common, secrets: [tpmKeySecret(leafClass)], exceptions: [exception] };
  }
  return common;
}

function reaching(what: string, grant: NonNullable<Exception["grants"]>[number], where: string): Exception {
  return { what, grants: [grant], reason: `its key is ${where} of the host, which signs and gives no copy` };
}

/** The place of a key as the container sees it. */
function insideOf(
  issuing: IssuingKeys,
  socket: string,
  secret: (name: string) => string,
): KeyPlace | { readonly kind: "file" } {
  if (issuing.kind === "pkcs11") return { ...issuing, module: P11_KIT_CLIENT, pinFile: secret(KEY_SECRETS.pin) };
  if (issuing.kind !== "tpm2") return issuing;
  const device = TPM_DEVICE.test(issuing.device) ? issuing.device : socket;
  return { kind: "tpm2", device, folder: dirname(secret(KEY_SECRETS.key)) };
}
