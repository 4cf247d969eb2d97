import type { Finding } from "../../../shared/finding.ts";
import type { DockerCli } from "../../../stacks/host/docker-cli.ts";
import { type ImageLock, LOCK_FILE, parseImageLock } from "../../images/lock-file.ts";
import { imageNamesOf } from "../../images/lock-images.ts";
import { readSigningKey } from "../../images/signatures/signing-key.ts";
import { verifyImages } from "../../images/verify-images.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";
import type { DoctorDeployment, Needs } from "../subject.ts";

/** The lock of the deployment's images, and what of it does not hold. */
export type ImagesFacts =
  | { readonly lock: undefined }
  | { readonly error: unknown }
  | { readonly lock: ImageLock; readonly names: readonly string[]; readonly wrong: readonly Finding[] };

const { ok, bad, fromError } = findingsOf("images");

/** Reads the lock, and asks docker for what it names. */
export async function gatherImages(
  { deployment, model }: DoctorDeployment,
  lockFile: string,
  machine: Machine,
  docker: DockerCli,
): Promise<ImagesFacts> {
  const text = machine.readText(lockFile);
  if (text === undefined) return { lock: undefined };
  try {
    const lock = parseImageLock(text, LOCK_FILE);
    const names = imageNamesOf(model);
    const { images, egress } = deployment;
    const signedBy = images.signedBy === undefined ? undefined : readSigningKey(images.signedBy);
    return { lock, names, wrong: await verifyImages(lock, names, docker, { images, egress, signedBy }) };
  } catch (error) {
    return { error };
  }
}

/** Whether every image of the deployment is locked, and there where it does not come from a registry. */
export function judgeImages(facts: ImagesFacts, needs: Needs): readonly DoctorFinding[] {
  if ("error" in facts) return [fromError("problem", facts.error)];
  if (facts.lock === undefined) {
    const level = needs.promises ? "problem" : "warning";
    return [bad(level, "DOCTOR_IMAGES_UNLOCKED", `there is no ${LOCK_FILE}`)];
  }
  const { lock, names, wrong } = facts;
  if (wrong.length > 0) {
    return wrong.map(({ code, message, fix }) => ({
      check: "images" as const,
      level: "problem" as const,
      code,
      message,
      fix,
    }));
  }
  const signed = lock.signer === undefined ? "" : `, signed by the key ${lock.signer}`;
  const where = lock.source === "registry" ? "docker pulls them by digest" : "docker has them";
  return [ok(`${names.length} images are locked, and ${where}${signed}`)];
}
