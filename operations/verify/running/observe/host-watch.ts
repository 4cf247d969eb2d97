import { setTimeout as sleep } from "node:timers/promises";
import type { ProbeAnswer } from "../../../../shared/prober.ts";
import type { DockerCli } from "../../../../stacks/host/docker-cli.ts";
import { dockerOutput } from "../../../../stacks/host/docker-cli.ts";
import { askProber } from "../../probe/ask-prober.ts";
import { runProbe } from "../../probe/run-probe.ts";
import type { HostWatch } from "../observation.ts";
import { type Family, hasWayOut, OUTSIDE_FILTER, otherRoutes, sendingsOfHost, whatLeft } from "./outside.ts";

/** Where helpers are started. */
export interface Helpers {
  readonly docker: DockerCli;
  readonly image: string;
  readonly signal: AbortSignal;
}

/** Longest time that the host is watched, in milliseconds. */
const WATCH_MS = 120_000;

/** How often, and how often at most, the host is asked whether it hears itself. */
const TRY_MS = 300;
const TRIES = 20;

const TCPDUMP = "/usr/bin/tcpdump";

/**
 * Watches the host's own network while `probing` tries to get out: what leaves by an interface that is not Docker's, and who
 * reaches a port that a helper listens on. The host itself does both before and after, so that silence means something.
 * @param port on which a helper listens meanwhile
 * @throws PROBE_FAILED, and what `probing` throws
 */
export async function watchHost(
  helpers: Helpers,
  port: number,
  containers: readonly string[],
  probing: () => Promise<void>,
): Promise<HostWatch> {
  const { docker, image } = helpers;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, helpers.signal]);
  const common = { container: "host", timeoutMs: WATCH_MS + 10_000, signal } as const;
  const listening = askProber(docker, image, { ...common, question: { listen: [port], holdMs: WATCH_MS } });
  const args = ["-i", "any", "-nn", "-l", "-q", "-Z", "root", OUTSIDE_FILTER];
  const capture = runProbe(docker, image, { ...common, program: TCPDUMP, args, capabilities: ["NET_RAW"] });
  const both = Promise.allSettled([listening, capture]);
  try {
    const before = await control(helpers, port, 0);
    await probing();
    const after = await control(helpers, port, 1);
    // The last packet is on its way from the kernel to the capture.
    await sleep(TRY_MS);
    stop.abort();
    await both;
    const inner = await dockerDevices(docker);
    const { host, containers: left } = whatLeft((await capture).stdout.toString("utf8"), inner, 2, containers);
    const controlsOf = (family: Family) =>
      [before, after].map((answer, time) =>
        hasWayOut(answer, family) && answer.sent.some(Boolean) ? host[time]?.[family] === true : null,
      );
    return {
      controls: controlsOf("four"),
      controlsOfIpv6: controlsOf("six"),
      otherRoutes: otherRoutes(before, inner),
      listener: [before, after].map(({ reach }) => reach[0] === "connected"),
      left,
    };
  } finally {
    stop.abort();
    await both;
  }
}

/** The host sends what a container will send, and reaches the listener, which takes a while to be there. */
async function control({ docker, image, signal }: Helpers, port: number, time: number): Promise<ProbeAnswer> {
  const target = { host: "127.0.0.1", port, protocol: "tcp" } as const;
  for (let tries = 1; ; tries += 1) {
    const question = { reach: [{ ...target, timeoutMs: 1000 }], send: [...sendingsOfHost(time)] };
    const answer = await askProber(docker, image, { container: "host", timeoutMs: 30_000, signal, question });
    if (answer.reach[0] === "connected" || time > 0 || tries === TRIES) return answer;
    await sleep(TRY_MS);
  }
}

/** The bridges of every network that Docker made. */
async function dockerDevices(docker: DockerCli): Promise<ReadonlySet<string>> {
  const ids = (await dockerOutput(docker, ["network", "ls", "--quiet", "--no-trunc"])).split("\n").filter(Boolean);
  const format = '{{.Id}} {{index .Options "com.docker.network.bridge.name"}}';
  const listed = await dockerOutput(docker, ["network", "inspect", "--format", format, ...ids]);
  return new Set(
    listed.split("\n").flatMap((line) => {
      const [id = "", name] = line.trim().split(" ");
      return id === "" ? [] : [`br-${id.slice(0, 12)}`, ...(name ? [name] : [])];
    }),
  );
}
