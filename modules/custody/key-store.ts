import type { Component, Volume } from "../../model/component.ts";
import type { CustodyKeys, Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { hostSocket, hostTpm } from "../host-keys.ts";
import { awsEnvironment, SERVER_SECRETS } from "../server-credentials.ts";

/** How the crypto service reaches its keys, and what it has to be given for that. */
export interface KeyStorePart extends Pick<Component, "exceptions" | "scratch"> {
  readonly image: "custody" | "custody-tpm2";
  /** Member `keyStore` of its configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of its secrets. */
  readonly secrets: readonly string[];
  readonly volumes: readonly Volume[];
  /** Variables of its program. */
  readonly environment: Readonly<Record<string, string>>;
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
  const { custody, engine, docker } = deployment;
  const config = placeOf(custody);
  const folder = placement.volumeDir(name, "keys");
  const inFolder = (witness: string) => [{ name: "keys", path: folder, witness }];
  const nothing = { image: "custody", secrets: [], volumes: [], network: false, environment: {} } as const;
  const common = { ...nothing, exceptions: [], scratch: [] };
  switch (custody.kind) {
    case "pkcs11": {
      const { device, exceptions } = hostSocket(placement, docker.custodySocket, "on a token");
      return { ...common, config: { kind: "pkcs11", server: device }, exceptions };
    }
    case "tpm2": {
      const volumes = inFolder("wrapping-key.tpm2");
      const { device, exceptions } = hostTpm(placement, custody.device);
      // What tpm2-tools hand to each other are files: sealed ones, policies and contexts.
      const scratch = [{ path: "/tmp", maxMiB: 1 }];
      return { ...common, image: "custody-tpm2", config: { ...config, device, folder }, volumes, exceptions, scratch };
    }
    case "file": {
      const volumes = inFolder("identity.age");
      if (waitsForPerson(deployment)) return { ...common, config: { kind: "file", folder }, volumes };
      const passphraseFile = placement.secretFile(name, "passphrase");
      const workFactor = engine === "embedded" ? { scryptWorkFactor: MACHINE_MADE_WORK_FACTOR } : {};
      const inside = { kind: "file", folder, passphraseFile, ...workFactor };
      return { ...common, config: inside, secrets: ["passphrase"], volumes };
    }
    default: {
      const wrapped = { ...common, volumes: inFolder("audit-signer.key"), network: true };
      if (engine !== "kubernetes") return { ...wrapped, config: { ...config, folder } };
      return { ...wrapped, ...inPod(custody, placement, name, { ...config, folder }) };
    }
  }
}

/** A pod sees no file of a machine: what the server knows it by is among its secrets. */
function inPod(
  custody: Extract<CustodyKeys, { readonly kind: "vault" | "aws-kms" }>,
  placement: Placement,
  name: string,
  config: Readonly<Record<string, unknown>>,
): Pick<KeyStorePart, "config" | "secrets" | "environment"> {
  const { vaultToken, vaultCa, aws } = SERVER_SECRETS;
  if (custody.kind === "aws-kms") return { config, secrets: [aws], environment: awsEnvironment(placement, name) };
  const ca = custody.caFile === undefined ? [] : [vaultCa];
  const files = {
    tokenFile: placement.secretFile(name, vaultToken),
    ...(custody.caFile === undefined ? {} : { caFile: placement.secretFile(name, vaultCa) }),
  };
  return { config: { ...config, ...files }, secrets: [vaultToken, ...ca], environment: {} };
}

/** The place alone, without the terms. */
function placeOf(custody: CustodyKeys): Readonly<Record<string, unknown>> {
  const { leastClass, acceptSoftware, owner, schedule, escrow, grants, ...place } = custody;
  if (place.kind !== "aws-kms") return place;
  const { account, ...key } = place;
  return key;
}
