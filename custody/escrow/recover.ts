import { combine } from "shamir-secret-sharing";
import { TrustKernError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/finding.ts";
import { escrowErrors } from "./errors.ts";
import { type EscrowFile, openEscrow } from "./escrow-file.ts";
import type { EscrowSecrets } from "./secrets.ts";
import { parseShare, type Share, shareDigest, tenantHashOf } from "./share.ts";

/** A share as somebody brought it. */
export interface GivenShare {
  /** File, or the question that it was typed at: what messages name it by. */
  readonly source: string;
  /** Text form; a secret. */
  readonly text: string;
}

/** What {@link checkShares} found. */
export interface CheckedShares {
  /** Those with nothing wrong, each once. */
  readonly shares: readonly Share[];
  /** One for each share that something is wrong with; its path is the source. */
  readonly findings: readonly Finding[];
}

type Code = keyof typeof escrowErrors.entries;

/** Holds each share against the escrow file and against the others. How many there are is not its question. */
export function checkShares(escrow: EscrowFile, given: readonly GivenShare[]): CheckedShares {
  const shares = new Map<number, { readonly share: Share; readonly source: string }>();
  const findings: Finding[] = [];
  for (const { source, text } of given) {
    try {
      const share = parseShare(text, source);
      assertDealt(escrow, share, source);
      const before = shares.get(share.index);
      if (before !== undefined) {
        const message = `"${source}" is share ${share.index}, and so is "${before.source}"`;
        throw defect("CUSTODY_SHARE_DUPLICATE", message, source);
      }
      shares.set(share.index, { share, source });
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError)) throw thrown;
      const { code, message, fix } = thrown;
      findings.push({ code, message, fix, path: source });
    }
  }
  return { shares: [...shares.values()].map(({ share }) => share), findings };
}

/** What a quorum gave. */
export interface Recovered {
  /** The caller wipes them. */
  readonly secrets: EscrowSecrets;
  /** Numbers of the shares that gave it, ascending. */
  readonly used: readonly number[];
}

/**
 * The secrets of an escrow file.
 * @throws the code of the first share that something is wrong with, naming every such share; CUSTODY_SHARES_TOO_FEW,
 *   CUSTODY_ESCROW_CORRUPT
 */
export async function recover(escrow: EscrowFile, given: readonly GivenShare[]): Promise<Recovered> {
  const { shares, findings } = checkShares(escrow, given);
  try {
    assertSound(escrow, shares, findings);
    const escrowKey = await combine(shares.map(({ bytes }) => bytes));
    try {
      const used = shares.map(({ index }) => index).sort((one, other) => one - other);
      return { secrets: openEscrow(escrow, escrowKey), used };
    } finally {
      escrowKey.fill(0);
    }
  } finally {
    for (const { bytes } of shares) bytes.fill(0);
  }
}

/** The library would make a wrong key of too few or wrong shares, and not say so. */
function assertSound({ threshold }: EscrowFile, shares: readonly Share[], findings: readonly Finding[]): void {
  const [first] = findings;
  if (first !== undefined) {
    const message = findings.map((each) => each.message).join("; ");
    const fix = [...new Set(findings.map((each) => each.fix))].join("; ");
    throw escrowErrors.error(first.code as Code, message, { path: first.path, fix, cause: findings });
  }
  const missing = threshold - shares.length;
  if (missing <= 0) return;
  throw escrowErrors.error("CUSTODY_SHARES_TOO_FEW", `${shares.length} of ${threshold} shares: ${missing} missing`, {
    path: "share",
    fix: `bring ${missing} more ${missing === 1 ? "holder" : "holders"} with a share of this set`,
  });
}

/** Refuses a share that was not dealt with this escrow file. */
function assertDealt(escrow: EscrowFile, share: Share, source: string): void {
  const own = "the escrow file is of";
  if (share.tenantHash !== tenantHashOf(escrow.tenant)) {
    throw defect("CUSTODY_SHARE_FOREIGN", `"${source}" is a share of another tenant; ${own} ${escrow.tenant}`, source);
  }
  if (share.keyId !== escrow.keyId) {
    const message = `"${source}" is a share of generation ${share.keyId}; ${own} ${escrow.keyId}`;
    throw defect("CUSTODY_SHARE_OTHER_GENERATION", message, source);
  }
  if (share.setId !== escrow.setId) {
    const message = `"${source}" is a share of the set ${share.setId}; ${own} the set ${escrow.setId}`;
    throw defect("CUSTODY_SHARE_OTHER_SET", message, source);
  }
  if (escrow.shares[share.index - 1]?.sha256 === shareDigest(share)) return;
  const message = `"${source}" says that it is share ${share.index}, and is not the one that was dealt under that number`;
  throw defect("CUSTODY_SHARE_FORGED", message, source);
}

function defect(code: Code, message: string, path: string): Error {
  return escrowErrors.error(code, message, { path });
}
