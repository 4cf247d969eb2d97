import type { Finding } from "../../shared/finding.ts";
import { type AuditFindingCode, auditFinding } from "./findings.ts";
import type { SignedAuditHead } from "./head.ts";
import type { LogWalk } from "./walk.ts";

/** Holds a head against the log that was read. */
export function checkHead(name: string, head: SignedAuditHead | null, walk: LogWalk): readonly Finding[] {
  const bad = (code: AuditFindingCode, message: string) => [auditFinding(code, name, message)];
  if (head === null) return bad("AUDIT_HEAD", "is not a head that this store vouches for");
  const { seq } = head;
  if (seq > walk.last) return bad("AUDIT_CUT", `counts ${seq} records, and there are ${walk.last}`);
  const record = walk.seen(seq);
  if (record?.hash !== head.hash)
    return bad("AUDIT_HEAD", `does not fit record ${seq}: the records up to it are others`);
  if (record.segment !== head.segment)
    return bad("AUDIT_HEAD", `names "${head.segment}", and record ${seq} is elsewhere`);
  const session = walk.sessionOf(seq);
  if (session?.publicKey !== head.session.publicKey || session.seq !== head.session.seq) {
    return bad("AUDIT_HEAD", `is not signed by the session that record ${seq} belongs to`);
  }
  if (head.generations.join() === walk.generationsUpTo(seq).join()) return [];
  return bad("AUDIT_HEAD", `names other records of generations than there are up to record ${seq}`);
}
