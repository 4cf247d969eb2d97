import type { Deployment } from "../../../model/deployment.ts";
import type { Finding } from "../../../shared/finding.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";

const { ok, bad } = findingsOf("decryption keys");

/**
 * What keeps custody's container from its keys is a problem; what the deployment's profile allows, and a person should still
 * know, a warning.
 */
export function judgeDecryptionKeys(
  { profile, custody }: Deployment,
  missing: readonly Finding[],
): readonly DoctorFinding[] {
  if (missing.length > 0) {
    return missing.map(({ code, message, fix }) => ({
      check: "decryption keys",
      level: "problem",
      code,
      message,
      fix,
    }));
  }
  if (profile === "dev") return [ok(`${custody.kind}, in a development deployment`)];
  const { kind, leastClass, acceptSoftware, escrow } = custody;
  const findings: DoctorFinding[] = [];
  if (leastClass === "software") {
    const message = `software may protect them (${kind}); the reason that is given: ${acceptSoftware ?? "none"}`;
    findings.push(bad("warning", "DOCTOR_KEYS_IN_SOFTWARE", message));
  }
  if (escrow === undefined) {
    findings.push(
      bad("warning", "DOCTOR_KEYS_NOT_IN_ESCROW", `whoever loses the ${kind} that has them loses what they open`),
    );
  }
  if (findings.length > 0) return findings;
  return [
    ok(
      `${kind}, of class ${leastClass} or better; ${escrow?.threshold} of ${escrow?.holders.length} shares restore them`,
    ),
  ];
}
