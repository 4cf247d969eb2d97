import { type CertsSite, journalFileOf } from "../certs-site.ts";
import { revokedNow } from "../revoked-gateways.ts";
import { hostFiles } from "../store-files.ts";
import { abandonRotation } from "./abandon.ts";
import type { RotationContext } from "./context.ts";
import { contextOf, logStep, nobodysCeremony } from "./context-of.ts";
import { rotationErrors } from "./errors.ts";
import { readJournal } from "./journal.ts";
import type { RotationRun } from "./machine.ts";
import { rotatable } from "./rotatable.ts";
import { parseTarget } from "./target.ts";
import { type Withdrawal, withdrawalOf, withdrawGone } from "./withdrawal.ts";

/** How a rotation of a deployment is given up. */
export interface AbandonOptions
  extends Pick<RotationRun, "clock" | "signal" | "limitSeconds" | "pollMs" | "onWaiting"> {
  /** Who does it. */
  readonly user: string;
}

/**
 * The rotation that has begun.
 * @returns as `--what` has it
 * @throws ROTATION_NOTHING
 */
export function begunAt(site: CertsSite): string {
  const journal = readJournal(journalFileOf(site));
  if (journal !== undefined) return journal.what;
  throw rotationErrors.error("ROTATION_NOTHING", "no rotation has begun", { path: "--abandon" });
}

/**
 * Gives up the rotation that has begun, while nobody has the new in use; or one whose own component is revoked, or out of the
 * deployment.
 * @returns as `--what` has it
 * @throws ROTATION_NOTHING, ROTATION_IN_USE, ROTATION_UNPROVEN, ROOT_KEY_ELSEWHERE, and what the backend refuses with
 */
export async function abandonAt(site: CertsSite, options: AbandonOptions): Promise<string> {
  const what = begunAt(site);
  const revoked = await revokedNow(site);
  const fleet = await site.fleet();
  const context = contextOf(site, { fleet, revoked, ceremony: nobodysCeremony(site) });
  await site.handOver();
  const run = { ...options, journalFile: journalFileOf(site), files: hostFiles, apply: fleet.apply };
  await abandonRotation(wayBack(site, what, revoked, context), run);
  logStep(site, { what, reason: "abandoned", user: options.user });
  return what;
}

function wayBack(site: CertsSite, what: string, revoked: ReadonlySet<string>, context: RotationContext): Withdrawal {
  const [, name = ""] = what.split(":");
  const isThere = site.model.components.some((component) => component.name === name);
  const ofComponent = what.startsWith("leaf:") || what.startsWith("token:");
  if (ofComponent && (!isThere || revoked.has(name))) return withdrawGone(context);
  return withdrawalOf(parseTarget(what, rotatable(site)), context);
}
