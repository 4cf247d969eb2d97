import type { Deployment } from "../../../model/deployment.ts";
import type { Finding } from "../../../shared/finding.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";

const { ok } = findingsOf("issuing keys");

/** Whether the containers of the online authorities could reach their keys; what keeps one from it is a problem. */
export function judgeIssuingKeys(
  { pki: { issuing } }: Deployment,
  findings: readonly Finding[],
): readonly DoctorFinding[] {
  if (findings.length === 0) return [ok(well(issuing.kind))];
  return findings.map(({ code, message, fix }) => ({ check: "issuing keys", level: "problem", code, message, fix }));
}

function well(kind: Deployment["pki"]["issuing"]["kind"]): string {
  if (kind === "file") return "they are in files of the state directory";
  return kind === "pkcs11" ? "the token's library, PIN and socket are there" : "the TPM is there for the containers";
}
