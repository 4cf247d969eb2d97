import type { Deployment, IssuingKeys, Pkcs11Token, RootKey, Tpm2Device } from "../model/deployment.ts";
import type { DeploymentInput } from "./schema.ts";

type PkiInput = NonNullable<DeploymentInput["pki"]>;

/** Where the keys are: what the file says, else an `age` file for the root and files for the others. */
export function resolvePki(input: PkiInput = {}): Deployment["pki"] {
  return { root: rootOf(input.root), issuing: issuingOf(input.issuing) };
}

function rootOf(root: PkiInput["root"]): RootKey {
  return hardwareOf(root) ?? { kind: "age" };
}

function issuingOf(issuing: PkiInput["issuing"]): IssuingKeys {
  if (issuing?.kind !== "aws-kms") return hardwareOf(issuing) ?? { kind: "file" };
  const { services = "", gateways = "", operators = "" } = issuing.keys ?? {};
  return { kind: "aws-kms", region: issuing.region ?? "", keys: { services, gateways, operators } };
}

function hardwareOf(said: PkiInput["root"] | PkiInput["issuing"]): Pkcs11Token | Tpm2Device | undefined {
  const { module = "", token = "", pinFile = "", device = "", folder = "" } = said ?? {};
  if (said?.kind === "pkcs11") return { kind: "pkcs11", module, token, pinFile };
  return said?.kind === "tpm2" ? { kind: "tpm2", device, folder } : undefined;
}
