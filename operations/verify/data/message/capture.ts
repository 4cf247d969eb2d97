import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../../shared/errors.ts";
import type { DockerCli } from "../../../../stacks/host/docker-cli.ts";
import { runProbe } from "../../probe/run-probe.ts";

/** All of each packet, of every interface, with 8 MiB in the kernel for those that come all at once. */
const TCPDUMP = {
  program: "/usr/bin/tcpdump",
  args: ["-i", "any", "-Z", "root", "-n", "-s", "0", "-B", "8192", "-U", "-w", "-"],
  ready: /listening on/,
  summary: /(\d+) packets? captured[\s\S]*?(\d+) packets? dropped by kernel/,
} as const;

/** What the kernel has captured reaches tcpdump within a second, and what has not is lost with it; in milliseconds. */
const HANDED_OVER_MS = 1_500;

/** The packets that one container saw, in the form of pcap. */
export interface Capture {
  readonly container: string;
  readonly bytes: Buffer;
  readonly packets: number;
  /** Packets that the kernel did not hand over, or why nothing was captured. */
  readonly fault: string | null;
}

/** A capture that runs. */
export interface Capturing {
  /** Ends it, with everything in it that was on a network until now. */
  readonly stop: () => Promise<Capture>;
}

/**
 * Captures in the network namespace of a container from now on.
 * @param limitMs longest time, in milliseconds
 * @param signal ends it, too
 * @returns once packets are captured, or it is certain that none will be
 */
export async function startCapture(
  docker: DockerCli,
  image: string,
  container: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<Capturing> {
  const end = new AbortController();
  const listening = Promise.withResolvers<void>();
  let said = "";
  const run = runProbe(docker, image, {
    container,
    program: TCPDUMP.program,
    args: TCPDUMP.args,
    capabilities: ["NET_RAW"],
    timeoutMs: limitMs,
    signal: AbortSignal.any([end.signal, signal]),
    onStderr: (text) => {
      said += text;
      if (TCPDUMP.ready.test(said)) listening.resolve();
    },
  })
    .then(({ stdout, stderr }) => captureOf(container, stdout, stderr))
    .catch((thrown: unknown) => ({ container, bytes: Buffer.alloc(0), packets: 0, fault: messageOf(thrown) }))
    .finally(() => listening.resolve());
  await listening.promise;
  return {
    stop: async () => {
      if (!end.signal.aborted) await sleep(HANDED_OVER_MS);
      end.abort();
      return run;
    },
  };
}

/** What tcpdump wrote, with its own count of packets and of those that it lost. */
export function captureOf(container: string, bytes: Buffer, stderr: string): Capture {
  const [, captured, dropped] = TCPDUMP.summary.exec(stderr) ?? [];
  if (captured === undefined) {
    const why = stderr.trim().split("\n").at(-1) ?? "";
    return { container, bytes, packets: 0, fault: `tcpdump did not end as it should: ${why}` };
  }
  const lost = Number(dropped);
  return {
    container,
    bytes,
    packets: Number(captured),
    fault: lost === 0 ? null : `the kernel lost ${lost} packets`,
  };
}
