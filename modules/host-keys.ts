import type { Exception } from "../model/component.ts";
import type { Placement } from "../model/placement.ts";
import { TPM_DEVICE } from "../profiles/host-socket.ts";

/** How a container reaches keys that are on a device of its host. */
export interface HostKeys {
  /** Path inside the container: the socket of a token's server, the TPM, or the socket of a TPM's simulator. */
  readonly device: string;
  readonly exceptions: readonly Exception[];
}

/** A socket of the host that keys are used by. */
export function hostSocket(placement: Placement, socket: string, where: string): HostKeys {
  const device = placement.socket("host", "keys");
  return { device, exceptions: [reaching("a socket of the host's", `host-socket:${socket}`, where)] };
}

/** A TPM of the host, or its simulator, by its path there. */
export function hostTpm(placement: Placement, device: string): HostKeys {
  return TPM_DEVICE.test(device)
    ? { device, exceptions: [reaching("a device of the host's", `device:${device}`, "in the TPM")] }
    : hostSocket(placement, device, "in a TPM's simulator");
}

function reaching(what: string, grant: NonNullable<Exception["grants"]>[number], where: string): Exception {
  return { what, grants: [grant], reason: `its key is ${where} of the host, which uses it and gives no copy` };
}
