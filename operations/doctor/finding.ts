import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { type DoctorCode, doctorErrors } from "./errors.ts";

/** What is looked at, in the order of the report. */
export const CHECKS = [
  "docker",
  "terraform",
  "cdk",
  "cluster",
  "images",
  "ports",
  "disk",
  "clock",
  "issuing keys",
  "decryption keys",
  "certificates",
  "swap",
  "core dumps",
  "disk encryption",
] as const;

/** One of {@link CHECKS}. */
export type CheckName = (typeof CHECKS)[number];

/** How bad it is. Only a `problem` keeps a deployment from running, or from being what its profile promises. */
export type Level = "ok" | "warning" | "problem";

/** One line of the report. */
export interface DoctorFinding {
  readonly check: CheckName;
  readonly level: Level;
  /** Absent where all is well. */
  readonly code?: string;
  readonly message: string;
  /** Absent where all is well. */
  readonly fix?: string;
}

/** Makes the findings of one check. */
export interface Findings {
  readonly ok: (message: string) => DoctorFinding;
  /** @param fix the catalogue's where it is left away */
  readonly bad: (level: "warning" | "problem", code: DoctorCode, message: string, fix?: string) => DoctorFinding;
  /** Of an error that another folder's catalogue raised. */
  readonly fromError: (level: "warning" | "problem", thrown: unknown) => DoctorFinding;
}

/** The findings of `check`. */
export function findingsOf(check: CheckName): Findings {
  const bad: Findings["bad"] = (level, code, message, fix = doctorErrors.entries[code].fix) => ({
    check,
    level,
    code,
    message,
    fix,
  });
  return {
    ok: (message) => ({ check, level: "ok", message }),
    bad,
    fromError: (level, thrown) =>
      thrown instanceof TrustKernError
        ? { check, level, code: thrown.code, message: thrown.message, fix: thrown.fix }
        : bad(level, "DOCTOR_NOT_CHECKED", messageOf(thrown)),
  };
}
