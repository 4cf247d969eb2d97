import { isIP } from "node:net";
import type { Deployment } from "../../model/deployment.ts";
import { gatewayKitErrors } from "./errors.ts";

/** RFC 1123, section 2.1. */
const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
/** Addresses that lead another machine nowhere, or that are none. */
const NOWHERE = /^(?:127\.|0\.0\.0\.0$|::1?$)/;

/**
 * The address at which a gateway elsewhere reaches the deployment: the one that is said, else the one that its host publishes at.
 * @throws GATEWAY_KIT_ADDRESS where that leads nowhere, or what is said is no address
 */
export function kitAddress(said: string | undefined, { docker }: Pick<Deployment, "docker">): string {
  if (said !== undefined) {
    if (isIP(said) !== 0 || HOST.test(said)) return said;
    throw refused(`--address is "${said}"; accepted: a host name or an IP address`, "--address");
  }
  if (!NOWHERE.test(docker.publishAddress)) return docker.publishAddress;
  throw refused(
    `docker.publishAddress is "${docker.publishAddress}", which no other machine reaches`,
    "docker.publishAddress",
  );
}

function refused(message: string, path: string): Error {
  return gatewayKitErrors.error("GATEWAY_KIT_ADDRESS", message, { path });
}
