import { type ComponentIn, component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { CONTROL_HEALTH, configFile, controlSockets, ownCommand, secretRefs } from "../common.ts";

// The embedded engine makes the passphrase itself, of 256 random bits: stretching it would only cost start-up time.
const MACHINE_MADE_WORK_FACTOR = 12;

/** Name of the socket that opens the KEM. */
export const KEM_SOCKET = "kem";

/**
 * Custody of the HPKE private keys. It has no network at all: the KEM is asked over a Unix socket. A shared secret
 * that it hands out opens one message, so it counts as that message's plaintext; the private key never leaves.
 */
export function custody(deployment: Deployment, placement: Placement): ComponentIn<"decryption"> {
  const name = "custody";
  const stateDir = placement.volumeDir(name, "state");
  const socket = placement.socket(name, KEM_SOCKET);
  const fixture = deployment.fixture ? { fixtureFile: placement.secretFile(name, "fixture.json") } : {};
  const workFactor = deployment.engine === "embedded" ? { scryptWorkFactor: MACHINE_MADE_WORK_FACTOR } : {};
  return component({
    name,
    zone: "decryption",
    holds: ["ciphertext", "plaintext", "decryption-key", "metadata", "credential"],
    service: "custody",
    image: "custody",
    command: ownCommand(placement, name),
    files: configFile(deployment, placement, name, {
      socket,
      stateDir,
      passphraseFile: placement.secretFile(name, "passphrase"),
      ...fixture,
      ...workFactor,
    }),
    secrets: secretRefs(placement, name, deployment.fixture ? ["passphrase", "fixture.json"] : ["passphrase"]),
    volumes: [{ name: "state", path: stateDir, witness: "generations.age" }],
    sockets: [...controlSockets(placement, name), { name: KEM_SOCKET, path: socket }],
    health: CONTROL_HEALTH,
    limits: { memoryMiB: 512, pids: 32, cpus: 1 },
    network: false,
  });
}
