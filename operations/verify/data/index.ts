import { join } from "node:path";
import { reportedBy } from "../../../profiles/index.ts";
import { takeLock } from "../../../stacks/host/lock.ts";
import type { CheckResult } from "../result.ts";
import { gatherData } from "./gather.ts";
import { judgeData } from "./judge.ts";
import type { DataSubject } from "./subject.ts";

/**
 * The layer data: a marked message of a sensor goes through every gateway of the deployment, and its plaintext is looked for in the
 * database, where it must be, and everywhere else, where it must not.
 *
 * The sensor has its keys in this process alone, is put on the allowlists by an operator's certificate, and revoked at the end;
 * one of a run that was killed is revoked by the next. Its row stays, with plausible values, until the end of its retention.
 * @returns one result for each check of the layer, in their order
 * @throws STATE_LOCKED while another verification runs, DOCKER_UNREACHABLE, DOCKER_MISSING, DEPLOY_CANCELLED
 */
export async function verifyData(subject: DataSubject): Promise<readonly CheckResult[]> {
  const unlock = takeLock(join(subject.rendered.layout.dir, "verify.lock"), subject.pid);
  try {
    return judgeData(await gatherData(subject), reportedBy(subject.deployment.profile));
  } finally {
    unlock();
  }
}
