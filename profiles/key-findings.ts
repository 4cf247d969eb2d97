import { dirname, isAbsolute } from "node:path";
import { CUSTODY_KINDS } from "../model/custody.ts";
import { ENGINES, type Engine, PROFILE_NAMES } from "../model/deployment.ts";
import type { Finding } from "../shared/finding.ts";
import { overlaps } from "../shared/paths.ts";
import { HOST_SOCKET, HOST_SOCKET_TEXT, TPM_DEVICE, tokenSockets } from "./host-socket.ts";
import { PROFILES } from "./index.ts";
import { shown } from "./schema-findings.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

/** Keys that a container has to reach, and what it can reach instead of a server. */
const KEYS_IN_CONTAINERS: readonly (readonly [path: string, accepted: string])[] = [
  ["pki.issuing", "pkcs11, tpm2, and in profile dev file"],
  ["custody", "pkcs11, tpm2, and where the profile allows it file"],
];

/** Keys of issuing authorities and of custody that the programs of the deployment's engine could not reach. */
export function keyFindings(source: YamlSource): readonly Finding[] {
  const engine = engineOf(source);
  if (engine === "embedded") return notEmbedded(source);
  if (engine !== "docker") return [];
  return [
    ...KEYS_IN_CONTAINERS.flatMap(([path, accepted]) => unreachable(path.split("."), accepted, source)),
    ...sharedPlace(source),
  ];
}

/** Node's permission model lets custody's process load no library, start no program and read no file but its own. */
function notEmbedded(source: YamlSource): readonly Finding[] {
  const kind = valueAt(source.value, ["custody", "kind"]);
  if (!CUSTODY_KINDS.some((known) => known === kind) || kind === "file") return [];
  const message = `"${kind}" is out of reach of the engine embedded, whose processes see their own files alone; accepted: file`;
  return [
    finding(
      ["custody", "kind"],
      message,
      kind === "pkcs11" || kind === "tpm2" ? "say engine: docker, or leave custody out" : "leave custody out",
      source,
    ),
  ];
}

/** What reaches custody's keys is given to nobody who has the authorities': one place of the host, or one in the other's folder. */
function sharedPlace(source: YamlSource): readonly Finding[] {
  const usual = tokenSockets(String(valueAt(source.value, ["name"])));
  const custody = placeOf(["custody"], ["docker", "custodySocket"], usual.custodySocket, source);
  const issuing = placeOf(["pki", "issuing"], ["docker", "tokenSocket"], usual.tokenSocket, source);
  if (custody === undefined || issuing === undefined || !overlaps(custody.given, issuing.given)) return [];
  const message = `${shown(custody.said)} reaches the decryption keys, and ${issuing.keys.join(".")}, ${shown(issuing.said)}, is given to the online authorities, which are outside of the boundary; accepted: a place for each, such as ${HOST_SOCKET_TEXT}`;
  return [finding(custody.keys, message, "give each its own token or TPM, in a folder of its own", source)];
}

/** The socket or device of keys, the member that says it, and what of it a container is given: of a socket its folder. */
function placeOf(keys: readonly string[], socket: readonly string[], usual: string, { value }: YamlSource) {
  const kind = valueAt(value, [...keys, "kind"]);
  const at = kind === "pkcs11" ? socket : kind === "tpm2" ? [...keys, "device"] : undefined;
  if (at === undefined) return undefined;
  const said = valueAt(value, at) ?? (kind === "pkcs11" ? usual : undefined);
  if (typeof said !== "string" || !isAbsolute(said)) return undefined;
  return { keys: at, said, given: TPM_DEVICE.test(said) ? said : dirname(said) };
}

function unreachable(keys: readonly string[], accepted: string, source: YamlSource): readonly Finding[] {
  const said = (member: string): unknown => valueAt(source.value, [...keys, member]);
  const [kind, device] = [said("kind"), said("device")];
  if (kind === "aws-kms" || kind === "vault") {
    const message = `"${kind}" is out of reach: nothing in a container of the engine docker gets out of the boundary; accepted: ${accepted}`;
    return [finding([...keys, "kind"], message, "use a token or this host's TPM", source)];
  }
  if (kind !== "tpm2" || typeof device !== "string") return [];
  if (TPM_DEVICE.test(device) || HOST_SOCKET.test(device)) return [];
  const message = `${shown(device)} is given to no container; accepted: /dev/tpmrm0 and the like, or of a simulator ${HOST_SOCKET_TEXT}`;
  return [finding([...keys, "device"], message, "name the TPM behind the kernel's resource manager", source)];
}

/** The engine that a file says, or its profile where it is silent. */
export function engineOf({ value }: YamlSource): Engine | undefined {
  const profile = PROFILE_NAMES.find((known) => known === valueAt(value, ["profile"]));
  const engine = valueAt(value, ["engine"]) ?? (profile === undefined ? undefined : PROFILES[profile].defaults.engine);
  return ENGINES.find((known) => known === engine);
}

function finding(path: readonly string[], message: string, fix: string, source: YamlSource): Finding {
  return { code: "CONFIG_ENGINE_KEYS", path: path.join("."), message, fix, ...source.valueAt(path) };
}
