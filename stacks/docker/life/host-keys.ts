import { dirname } from "node:path";
import { LEAF_CLASSES } from "../../../certs/names.ts";
import type { CustodyKeys, Deployment, IssuingKeys } from "../../../model/deployment.ts";
import { renderFindings } from "../../../model/findings.ts";
import { TPM_DEVICE } from "../../../profiles/host-socket.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/finding.ts";
import { haveAuthorities } from "../../host/authorities.ts";
import { isKeyElsewhere, readKeyPlace } from "../../host/authority-key.ts";
import type { RunAs } from "../containers.ts";
import { dockerLifeErrors } from "./errors.ts";
import { type HostPath, type LookAt, lookAtHost, mayUse } from "./host-path.ts";

const CODE = "HOST_KEYS_UNREACHABLE";
/** What the folder of a socket may hold; the second is how a TPM's simulator is controlled. */
const OWN: readonly string[] = ["sock", "sock.ctrl"];
const GUIDE = "docs/guides/docker.md says how it is prepared";

/** Keys that containers use where the host has them. */
export interface HostKeys {
  /** Member of `trustkern.yaml` that says where they are. */
  readonly path: "pki.issuing" | "custody";
  readonly place: IssuingKeys | CustodyKeys;
  /** Socket of the token's server, with kind `pkcs11`, and the member that names it. */
  readonly socket: readonly [path: string, socket: string];
}

/** The keys of the online authorities. */
export function issuingKeys({ pki, docker }: Deployment): HostKeys {
  return { path: "pki.issuing", place: pki.issuing, socket: ["docker.tokenSocket", docker.tokenSocket] };
}

/** The decryption keys. */
export function decryptionKeys({ custody, docker }: Deployment): HostKeys {
  return { path: "custody", place: custody, socket: ["docker.custodySocket", docker.custodySocket] };
}

/**
 * What containers would miss to reach their keys, before any is made: one that cannot reach its key starts again and again, and
 * each start may count as a wrong PIN.
 */
export async function hostKeyFindings(
  { path, place, socket: [socketPath, socket] }: HostKeys,
  runAs: RunAs,
  look: LookAt = lookAtHost,
): Promise<readonly Finding[]> {
  if (place.kind === "pkcs11") {
    return [
      ...present(`${path}.module`, place.module, await look(place.module), "the token's library"),
      ...pinFindings(`${path}.pinFile`, place.pinFile, await look(place.pinFile)),
      ...(await socketFindings(socketPath, socket, runAs, look)),
    ];
  }
  if (place.kind !== "tpm2") return [];
  const { device } = place;
  if (!TPM_DEVICE.test(device)) return socketFindings(`${path}.device`, device, runAs, look);
  return deviceFindings(`${path}.device`, device, await look(device), runAs);
}

/**
 * Holds that custody and the online authorities can reach their keys, and that the authorities' are where `trustkern.yaml` says.
 * @throws HOST_KEYS_UNREACHABLE with every finding, STATE_CORRUPT
 */
export async function assertHostKeys(deployment: Deployment, authoritiesDir: string, runAs: RunAs): Promise<void> {
  const findings = [
    ...(await hostKeyFindings(decryptionKeys(deployment), runAs)),
    ...(await hostKeyFindings(issuingKeys(deployment), runAs)),
    ...(haveAuthorities(authoritiesDir) ? placeFindings(authoritiesDir, deployment.pki.issuing) : []),
  ];
  if (findings.length === 0) return;
  const message = renderFindings("containers could not reach their keys", findings);
  throw dockerLifeErrors.error(CODE, message, { path: findings[0]?.path, cause: findings });
}

/** What step-ca and custody say when their token or TPM does not have what they were told to find there. */
const DEVICE_REFUSES = /PKCS ?#11|pkcs11|CKR_|\btpm|SIGNER_|CUSTODY_STORE_/i;

/**
 * What a deploy fails with: where custody or an authority stays unhealthy for want of its key, that, with what it wrote.
 * @param thrown what was thrown while containers became healthy
 */
export function asKeyFailure(thrown: unknown, deployment: Deployment): unknown {
  if (!(thrown instanceof TrustKernError) || thrown.code !== "COMPONENT_UNHEALTHY") return thrown;
  const own = thrown.message.startsWith("custody ");
  const {
    place,
    socket: [, socket],
  } = own ? decryptionKeys(deployment) : issuingKeys(deployment);
  if ((place.kind !== "pkcs11" && place.kind !== "tpm2") || !DEVICE_REFUSES.test(thrown.message)) return thrown;
  const held =
    place.kind === "pkcs11"
      ? `hold what listens on "${socket}" to the token "${place.token}" with the keys of`
      : `hold "${place.device}" to the TPM that has the keys of`;
  const fix = `${held} ${own ? "custody" : "the ceremony"}, and run trustkern deploy again`;
  return dockerLifeErrors.error(CODE, thrown.message, { path: thrown.path, cause: thrown, fix });
}

/** Where the authorities' keys are, and the file does not say. */
function placeFindings(dir: string, issuing: IssuingKeys): readonly Finding[] {
  const said = deviceOf(issuing);
  return LEAF_CLASSES.flatMap((leafClass) => {
    const place = isKeyElsewhere(dir, leafClass) ? readKeyPlace(dir, leafClass) : ({ kind: "file" } as const);
    const is = place.kind === "age" ? "in an age file" : deviceOf(place);
    if (is === said) return [];
    const message = `the key of ${leafClass} is ${is}, and trustkern.yaml says: ${said}`;
    return [finding("pki.issuing", message, "write what is true: keys move by a new ceremony alone")];
  });
}

type Device =
  | { readonly kind: "file" }
  | { readonly kind: "pkcs11"; readonly token: string }
  | { readonly kind: "tpm2"; readonly device: string }
  | { readonly kind: "aws-kms"; readonly region: string };

function deviceOf(place: Device): string {
  if (place.kind === "pkcs11") return `on the token "${place.token}"`;
  if (place.kind === "tpm2") return `in the TPM "${place.device}"`;
  return place.kind === "file" ? "in a file of this host" : `in AWS KMS, ${place.region}`;
}

function present(path: string, file: string, found: HostPath | undefined, what: string): readonly Finding[] {
  if (found?.kind === "file" && found.size > 0) return [];
  const is = found === undefined ? "is not there" : found.kind === "file" ? "is empty" : `is a ${found.kind}`;
  return [finding(path, `${what}, "${file}", ${is}`, `put it there, or mend ${path}`)];
}

function pinFindings(path: string, file: string, found: HostPath | undefined): readonly Finding[] {
  const missing = present(path, file, found, "the file with the token's PIN");
  if (missing.length > 0 || found === undefined || (found.mode & 0o077) === 0) return missing;
  const mode = found.mode.toString(8).padStart(4, "0");
  return [finding(path, `others than its owner can read the PIN in "${file}": mode ${mode}`, `chmod 0600 ${file}`)];
}

async function socketFindings(path: string, socket: string, runAs: RunAs, look: LookAt): Promise<readonly Finding[]> {
  const folder = dirname(socket);
  const [around, found] = [await look(folder), await look(socket)];
  const others = (around?.entries ?? []).filter((name) => !OWN.includes(name));
  const stray = `${others.slice(0, 3).join(", ")}${others.length > 3 ? " and more" : ""}`;
  const elsewhere = found?.real ?? around?.real;
  return [
    ...(elsewhere === undefined
      ? []
      : [finding(path, `"${socket}" leads over a symbolic link to "${elsewhere}"`, "name the place without a link")]),
    ...(others.length === 0
      ? []
      : [finding(path, `containers would see all of "${folder}", which holds ${stray} too`, "give it its own folder")]),
    ...(around !== undefined && !mayUse(around, runAs, 1)
      ? [finding(path, `user ${runAs.uid} may not enter "${folder}"`, `chmod 0755 ${folder}`)]
      : []),
    ...listening(path, socket, found, runAs),
  ];
}

function listening(path: string, socket: string, found: HostPath | undefined, runAs: RunAs): readonly Finding[] {
  const start =
    path === "docker.custodySocket"
      ? "start the unit that trustkern keys token-server --systemd prints"
      : `start what listens there; ${GUIDE}`;
  if (found === undefined) return [finding(path, `there is no socket "${socket}"`, start)];
  if (found.kind !== "socket") return [finding(path, `"${socket}" is a ${found.kind}, and no socket`, start)];
  if (found.answers !== true) return [finding(path, `nobody listens on "${socket}"`, start)];
  if (mayUse(found, runAs, 2)) return [];
  return [finding(path, `"${socket}" is not for user ${runAs.uid}, who runs the containers`, GUIDE)];
}

function deviceFindings(path: string, device: string, found: HostPath | undefined, runAs: RunAs): readonly Finding[] {
  if (found === undefined)
    return [finding(path, `there is no TPM "${device}"`, "turn it on in the firmware's settings")];
  if (found.real !== undefined) {
    return [
      finding(path, `"${device}" leads over a symbolic link to "${found.real}"`, "name the place without a link"),
    ];
  }
  if (found.kind !== "device") return [finding(path, `"${device}" is a ${found.kind}, and no device`, GUIDE)];
  if (mayUse(found, runAs, 6)) return [];
  return [finding(path, `"${device}" is not for user ${runAs.uid}, who runs the containers`, GUIDE)];
}

function finding(path: string, message: string, fix: string): Finding {
  return { code: CODE, path, message, fix };
}
