import { ENGINES, type Engine, PROFILE_NAMES } from "../model/deployment.ts";
import type { Finding } from "../shared/finding.ts";
import { HOST_SOCKET, HOST_SOCKET_TEXT, TPM_DEVICE } from "./host-socket.ts";
import { PROFILES } from "./index.ts";
import { shown, valueAt } from "./schema-findings.ts";
import type { YamlSource } from "./yaml-source.ts";

/** Keys of issuing authorities that the containers of the deployment's engine could not reach. */
export function keyFindings(source: YamlSource): readonly Finding[] {
  if (engineOf(source) !== "docker") return [];
  const said = (member: string): unknown => valueAt(source.value, ["pki", "issuing", member]);
  const kind = said("kind");
  if (kind === "aws-kms") {
    const message = `"aws-kms" is out of reach: nothing in a container of the engine docker gets out of the boundary; accepted: pkcs11, tpm2, and in profile dev file`;
    return [finding("kind", message, "use a token or this host's TPM", source)];
  }
  const device = said("device");
  if (kind !== "tpm2" || typeof device !== "string") return [];
  if (TPM_DEVICE.test(device) || HOST_SOCKET.test(device)) return [];
  const message = `${shown(device)} is given to no container; accepted: /dev/tpmrm0 and the like, or of a simulator ${HOST_SOCKET_TEXT}`;
  return [finding("device", message, "name the TPM behind the kernel's resource manager", source)];
}

function engineOf({ value }: YamlSource): Engine | undefined {
  const profile = PROFILE_NAMES.find((known) => known === valueAt(value, ["profile"]));
  const engine = valueAt(value, ["engine"]) ?? (profile === undefined ? undefined : PROFILES[profile].defaults.engine);
  return ENGINES.find((known) => known === engine);
}

function finding(member: string, message: string, fix: string, source: YamlSource): Finding {
  const path = ["pki", "issuing", member];
  return { code: "CONFIG_ENGINE_KEYS", path: path.join("."), message, fix, ...source.valueAt(path) };
}
