import { messageOf, TrustKernError } from "../../../../shared/errors.ts";
import type { ProbeAnswer } from "../../../../shared/prober.ts";
import { type Asking, askProber } from "../../probe/ask-prober.ts";
import type { Answered } from "../observation.ts";
import type { RunningSubject } from "../subject.ts";

/** Helpers that run at one time. */
export const HELPERS = 8;

/** Longest time of one helper, from its creation to its end, in milliseconds. */
const HELPER_MS = 45_000;

/** Why something was not seen. */
export interface Unseen {
  readonly why: string;
}

/**
 * The answer of a helper, or why there is none: its component may have ended since.
 * @param image what `docker run` calls the image, or why there is none
 */
export async function ask(
  { docker, signal, runAs }: Pick<RunningSubject, "docker" | "signal" | "runAs">,
  image: string | Unseen,
  asking: Pick<Asking, "container" | "question" | "mounts">,
): Promise<Answered<ProbeAnswer>> {
  if (typeof image !== "string") return image;
  try {
    return { answer: await askProber(docker, image, { ...asking, user: runAs, signal, timeoutMs: HELPER_MS }) };
  } catch (thrown) {
    return reasonOf(thrown);
  }
}

/** Why a probe did not run; anything else is no reason, and thrown on. */
export function reasonOf(thrown: unknown): Unseen {
  if (thrown instanceof TrustKernError && thrown.code === "PROBE_FAILED") return { why: messageOf(thrown) };
  throw thrown;
}
