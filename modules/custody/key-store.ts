import type { Volume } from "../../model/component.ts";
import type { CustodyKeys, Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";

/** How the crypto service reaches its keys. */
export interface KeyStorePart {
  /** Member `keyStore` of its configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of its secrets. */
  readonly secrets: readonly string[];
  readonly volumes: readonly Volume[];
  /** Whether the keys are wrapped by a server. */
  readonly network: boolean;
}

// The embedded engine makes the passphrase itself, of 256 random bits: stretching it would only cost start-up time.
const MACHINE_MADE_WORK_FACTOR = 12;

/** Whether a person gives the passphrase of the keys each time that custody starts: no file of the host has it. */
export function waitsForPerson({ custody, profile }: Pick<Deployment, "custody" | "profile">): boolean {
  return custody.kind === "file" && profile !== "dev";
}

/** Where the keys of a component are, by what the deployment says of them. */
export function keyStorePart(deployment: Deployment, placement: Placement, name: string): KeyStorePart {
  const { custody, engine } = deployment;
  const folder = placement.volumeDir(name, "keys");
  const network = custody.kind === "vault" || custody.kind === "aws-kms";
  if (custody.kind === "pkcs11" || custody.kind === "tpm2")
    return { config: placeOf(custody), secrets: [], volumes: [], network };
  if (network)
    return { config: { ...placeOf(custody), folder }, secrets: [], volumes: [{ name: "keys", path: folder }], network };
  const volumes = [{ name: "keys", path: folder, witness: "identity.age" }];
  if (waitsForPerson(deployment)) return { config: { kind: "file", folder }, secrets: [], volumes, network };
  const passphraseFile = placement.secretFile(name, "passphrase");
  const workFactor = engine === "embedded" ? { scryptWorkFactor: MACHINE_MADE_WORK_FACTOR } : {};
  return {
    config: { kind: "file", folder, passphraseFile, ...workFactor },
    secrets: ["passphrase"],
    volumes,
    network,
  };
}

/** The place alone, without the terms. */
function placeOf(custody: CustodyKeys): Readonly<Record<string, unknown>> {
  const { leastClass, acceptSoftware, owner, schedule, escrow, grants, ...place } = custody;
  if (place.kind !== "aws-kms") return place;
  const { account, ...key } = place;
  return key;
}
