import { catalogue, EXIT } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";

const MOST = 1_000;
const FIX = "keep the folder for whoever investigates, and compare it with a backup";

/** What {@link verifyAuditLog} finds; the command's exit code is theirs. */
export const auditFindings = catalogue({
  AUDIT_HEAD: {
    exit: EXIT.policy,
    summary: "A signed head of custody's audit log is missing, is not this store's, or does not fit the records.",
    fix: FIX,
  },
  AUDIT_CUT: {
    exit: EXIT.policy,
    summary: "A signed head of custody's audit log counts more records than there are: some, or all, were taken away.",
    fix: FIX,
  },
  AUDIT_BEYOND: {
    exit: EXIT.policy,
    summary: "Custody's audit log has records that no signed head counts: custody answers nobody before the head does.",
    fix: `${FIX}; what custody itself left there is cut off when it opens the log again`,
  },
  AUDIT_TORN: {
    exit: EXIT.policy,
    summary: "A file of custody's audit log ends in the middle of a record.",
    fix: `${FIX}; what custody itself left there is cut off when it opens the log again`,
  },
  AUDIT_SEGMENT: {
    exit: EXIT.policy,
    summary: "A file of custody's audit log does not begin with the record that must follow: one before it is missing.",
    fix: FIX,
  },
  AUDIT_SEQUENCE: {
    exit: EXIT.policy,
    summary: "A record of custody's audit log has not the number of its place: records are missing, twice, or moved.",
    fix: FIX,
  },
  AUDIT_CHAIN: {
    exit: EXIT.policy,
    summary: "A record of custody's audit log does not name the hash of the record before it: one of them was changed.",
    fix: FIX,
  },
  AUDIT_FORM: {
    exit: EXIT.policy,
    summary: "A line of custody's audit log is no record as custody writes one.",
    fix: FIX,
  },
  AUDIT_SESSION: {
    exit: EXIT.policy,
    summary: "Custody's audit log has a session that its store's key did not vouch for.",
    fix: FIX,
  },
  AUDIT_FOLLOWED_OPENED: {
    exit: EXIT.policy,
    summary:
      "A custody that follows opened with a key that opened nothing by the writer's state which it had put on record before.",
    fix: FIX,
  },
  AUDIT_FOLLOWED_UNKNOWN: {
    exit: EXIT.policy,
    summary: "A custody put on record that it follows a change which the writer's log does not have.",
    fix: "give the writer's newest log, then compare both with a backup",
  },
  AUDIT_FOLLOWED_STALE: {
    exit: EXIT.policy,
    summary: "A custody that follows opened after it had not heard of the writer for longer than it may.",
    fix: FIX,
  },
  AUDIT_ROLE: {
    exit: EXIT.policy,
    summary:
      "Of the audit logs of several custodies not exactly one is a writer's, or one that follows changed generations.",
    fix: "name the folder of each custody of one deployment, once",
  },
});

/** One of {@link auditFindings}. */
export type AuditFindingCode = keyof (typeof auditFindings)["entries"];

/** Findings, of which a log that was written anew would have millions. */
export class FindingList {
  readonly #all: Finding[] = [];

  get all(): readonly Finding[] {
    return this.#all;
  }

  /** Adds them, up to a thousand in all. */
  add(...findings: readonly Finding[]): void {
    this.#all.push(...findings.slice(0, MOST - this.#all.length));
  }
}

/** A finding about an audit log. */
export function auditFinding(code: AuditFindingCode, path: string, message: string): Finding {
  return { code, path, message: `${path} ${message}`, fix: auditFindings.entries[code].fix };
}
