import type { Deployment, IssuingKeys, Pkcs11Token, RootKey, Tpm2Device } from "../model/deployment.ts";
import type { DeploymentInput } from "./schema.ts";

type PkiInput = NonNullable<DeploymentInput["pki"]>;

/** Where the keys are: what the file says, else an `age` file for the root and files for the others. */
export function resolvePki(input: PkiInput = {}, deploymentName: string): Deployment["pki"] {
  return { root: rootOf(input.root, deploymentName), issuing: issuingOf(input.issuing, deploymentName) };
}

function rootOf(root: PkiInput["root"], name: string): RootKey {
  return hardwareOf(root, name) ?? { kind: "age" };
}

function issuingOf(issuing: PkiInput["issuing"], name: string): IssuingKeys {
  if (issuing?.kind !== "aws-kms") return hardwareOf(issuing, name) ?? { kind: "file" };
  const { services = "", gateways = "", operators = "" } = issuing.keys ?? {};
  return { kind: "aws-kms", region: issuing.region ?? "", keys: { services, gateways, operators } };
}

function hardwareOf(
  said: PkiInput["root"] | PkiInput["issuing"],
  keyPrefix: string,
): Pkcs11Token | Tpm2Device | undefined {
  const { module = "", token = "", pinFile = "", device = "", folder = "" } = said ?? {};
  if (said?.kind === "pkcs11") return { kind: "pkcs11", module, token, pinFile, keyPrefix };
  return said?.kind === "tpm2" ? { kind: "tpm2", device, folder } : undefined;
}
