import { PROFILES } from "../../../profiles/index.ts";
import type { LineResult } from "../../../profiles/lines.ts";
import type { Finding } from "../../../shared/finding.ts";
import { type CheckResult, judged } from "../result.ts";
import type { ModelSubject } from "./subject.ts";

const ID = "model.profile";

/** Every line of the deployment's profile is there, and kept. */
export function checkProfileLines({ deployment, lines }: Pick<ModelSubject, "deployment" | "lines">): CheckResult {
  const { name, constraints } = PROFILES[deployment.profile];
  const broken = lines.filter(({ kept }) => !kept).map((line) => finding(name, line));
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
