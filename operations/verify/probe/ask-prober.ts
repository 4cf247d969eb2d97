import { NODE, PROGRAM } from "../../../modules/common.ts";
import { messageOf } from "../../../shared/errors.ts";
import { type ProbeAnswer, type ProbeQuestion, probeAnswer } from "../../../shared/prober.ts";
import type { DockerCli } from "../../../stacks/host/docker-cli.ts";
import { probeErrors } from "./errors.ts";
import { type ProbeRequest, runProbe } from "./run-probe.ts";

/** A question, and where it is asked. */
export type Asking = Pick<ProbeRequest, "container" | "mounts" | "user" | "signal" | "timeoutMs"> & {
  /** What is not named is not asked. */
  readonly question: Partial<ProbeQuestion>;
};

const NOTHING: ProbeQuestion = {
  timeoutMs: 1500,
  listen: [],
  holdMs: 0,
  reach: [],
  handshakes: [],
  names: [],
  send: [],
};

/**
 * Has the prober look at a network namespace from inside.
 * @throws PROBE_FAILED, and what {@link runProbe} throws
 */
export async function askProber(docker: DockerCli, image: string, asking: Asking): Promise<ProbeAnswer> {
  const { question, ...where } = asking;
  const { code, stdout, stderr } = await runProbe(docker, image, {
    ...where,
    program: NODE,
    args: ["--disable-warning=ExperimentalWarning", PROGRAM],
    stdin: Buffer.from(JSON.stringify({ ...NOTHING, ...question })),
  });
  try {
    if (code === 0) return probeAnswer.parse(JSON.parse(stdout.toString("utf8")));
    throw new Error(stderr.trim().split("\n").at(-1) || `it ended with ${code}`);
  } catch (thrown) {
    const path = where.container;
    throw probeErrors.error("PROBE_FAILED", `beside ${path}: ${messageOf(thrown)}`, { path, cause: thrown });
  }
}
