import { isIPv4 } from "node:net";
import type { ProbeAnswer } from "../../../../shared/prober.ts";
import type { HostAttempt } from "../observation.ts";
import { gatewaysOf, isLoopback, type ReachGround } from "./reach-questions.ts";

/**
 * Attempts to reach services of the host from inside of a container: a port on which a helper listens and answers whatever comes, and
 * each TCP port that something of the host listens on, but for those that are published. Over UDP the helper's alone is tried: another
 * service answers nothing but its own protocol, and its silence would show nothing.
 * @param helper number of the helper's port
 * @param host what the prober saw in the host's network; undefined where it could not look
 */
export function hostAttempts(
  from: string,
  ground: ReachGround,
  helper: number,
  host: Pick<ProbeAnswer, "listeners"> | undefined,
): readonly HostAttempt[] {
  const gateways = gatewaysOf(from, ground);
  const published = ground.plan.containers.flatMap(({ ports }) => ports.map(({ external }) => external));
  const services = (host?.listeners ?? []).filter(
    ({ protocol, address, port }) => protocol === "tcp" && !isLoopback(address) && !published.includes(port),
  );
  const targets = [
    ...gateways.flatMap((address) =>
      (["tcp", "udp"] as const).map((protocol) => ({ host: address, port: helper, protocol })),
    ),
    ...services.flatMap(({ address, port }) =>
      (isEvery(address) ? gateways : [address]).map((at) => ({ host: at, port, protocol: "tcp" as const })),
    ),
  ];
  const keyOf = (target: HostAttempt["target"]): string => `${target.protocol} ${target.host} ${target.port}`;
  const unique = [...new Map(targets.map((target) => [keyOf(target), target])).values()];
  return unique.map((target) => ({ from, target, reached: undefined }));
}

function isEvery(address: string): boolean {
  return isIPv4(address) ? address === "0.0.0.0" : address === "::";
}
