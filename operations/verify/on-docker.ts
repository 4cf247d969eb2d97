import { TrustKernError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";
import type { DockerOptions } from "../../stacks/docker/life/options.ts";
import type { Rendered } from "../../stacks/docker/life/render.ts";
import { assertDeployed } from "../../stacks/docker/life/status.ts";
import type { Machine } from "../doctor/machine.ts";
import type { Layer } from "./checks.ts";
import { notLookedAt } from "./not-looked-at.ts";
import type { CheckResult } from "./result.ts";

/** What the layers of a running deployment are handed. */
export interface DockerBoundary extends DockerOptions {
  /** This machine, which has the disks. */
  readonly machine: Machine;
}

/** A deployment on the docker engine, as it is rendered now. */
interface DockerSubject extends DockerBoundary {
  readonly rendered: Rendered;
}

/** Looks at a layer of a running deployment. */
export type Look = (subject: DockerSubject) => Promise<readonly CheckResult[]>;

/** What keeps a layer from being looked at, and is the deployment's own state and no fault of ours. */
const NOT_THERE = ["NOT_DEPLOYED", "DOCKER_MISSING", "DOCKER_UNREACHABLE", "DOCKER_FAILED", "STATE_LOCKED"];

/** The results of a layer, or where there is no deployment or no Docker Engine to ask, why nothing of it is proven. */
export async function lookOnDocker(layer: Layer, subject: DockerSubject, look: Look): Promise<readonly CheckResult[]> {
  try {
    assertDeployed(subject);
    return await look(subject);
  } catch (thrown) {
    if (!(thrown instanceof TrustKernError) || !NOT_THERE.includes(thrown.code)) throw thrown;
    return notLookedAt(layer, findingOf(thrown));
  }
}

function findingOf({ code, path, message, fix }: TrustKernError): Finding {
  return { code, path: path ?? "docker", message, fix };
}
