import { PROFILES } from "../../../profiles/index.ts";
import type { LineResult } from "../../../profiles/lines.ts";
import { checkProfile } from "../../../profiles/soundness.ts";
import type { Finding } from "../../../shared/finding.ts";
import { type CheckResult, judged } from "../result.ts";
import type { ModelSubject } from "./subject.ts";

const ID = "model.profile";

/** The deployment's profile is sound, and every line of it is there, and kept. */
export function checkProfileLines({ deployment, lines }: Pick<ModelSubject, "deployment" | "lines">): CheckResult {
  const profile = PROFILES[deployment.profile];
  const { name, constraints } = profile;
  const notKept = lines.filter(({ kept }) => !kept).map((line) => finding(name, line));
  const broken = [...checkProfile(profile), ...notKept];
  const unread = constraints.filter(
    ({ topic, reason }) => !lines.some((line) => line.topic === topic && line.reason === reason),
  );
  if (broken.length === 0 && unread.length > 0) {
    const seen = `${unread.length} of ${constraints.length} lines of profile ${name} were not held against the file`;
    return { id: ID, outcome: "not-proven", seen, findings: [] };
  }
  return judged(ID, `${lines.length} lines of profile ${name}`, broken);
}

function finding(profile: string, { path, value, accepted, reason }: LineResult): Finding {
  const message = `${value}, but profile ${profile} accepts: ${accepted}, because ${reason}`;
  return { code: "CONFIG_PROFILE", path, message, fix: "choose an accepted value, or another profile" };
}
