import type { KeySigner } from "../../../certs/signers/signer.ts";
import { makePrivateDir } from "../../../stacks/host/files.ts";
import { lockWithin } from "../../../stacks/host/lock.ts";
import { fingerprintOf } from "../../../stacks/host/trust/fingerprint.ts";
import { digestOf } from "../format/manifest.ts";
import { knownSigners } from "./decide.ts";
import { addSignatures, type Envelope, mergeSignatures, unsigned } from "./envelope.ts";
import { bundleTrustErrors } from "./errors.ts";
import { momentOf } from "./fields.ts";
import {
  appendLedger,
  type Ledger,
  type LedgerEntry,
  ledgerFiles,
  mayFollow,
  newestVersion,
  readLedger,
} from "./ledger.ts";
import { keysOf, type SignedRoot } from "./root.ts";
import { renderSlot } from "./slot.ts";
import {
  MAX_VERSION,
  manifestDigestOf,
  renderStatement,
  STATEMENT_TYPE,
  type Statement,
  statementOf,
} from "./statement.ts";

/** How long somebody who signs waits for another who does, in milliseconds. */
const LOCK_MS = 20_000;

/** Days until a site is told that there should be a newer bundle: its media may come twice a year, and one time may be missed. */
export const DEFAULT_WARN_DAYS = 400;

/** What is to be signed, and by which rules. */
export interface SigningJob {
  /** Bytes of `manifest.json`. */
  readonly manifestBytes: Uint8Array;
  /** Bytes of `SHA256SUMS`. */
  readonly sums: Uint8Array;
  /** What the manifest says of whose it is. */
  readonly manifest: { readonly tenant: string; readonly deployment: string; readonly base?: string | undefined };
  /** Roots of trust, verified, oldest first: those of {@link readVendorRoots}. */
  readonly roots: readonly SignedRoot[];
  /** Folder of the ledger: {@link bundleFolder} of the state directory. */
  readonly folder: string;
  readonly now: Date;
  /** @default {@link DEFAULT_WARN_DAYS} days */
  readonly warnAfterSeconds?: number | undefined;
  /** The statement that the bundle has already, for more signatures on it. */
  readonly existing?: Envelope | undefined;
}

/** What signing gives, or would give. */
export interface SignedBundle {
  /** Bytes of `signatures.json`. */
  readonly slot: Buffer;
  readonly statement: Statement;
  /** Whether the statement was there already: the same manifest as last time, or more signatures on it. */
  readonly reused: boolean;
  readonly signers: readonly { readonly name: string; readonly fingerprint: string }[];
  /** So many of them a site asks for. */
  readonly threshold: number;
}

/**
 * Signs the manifest of a bundle. The same manifest as last time gives the same statement and the same signatures; another one gets the
 * next version. What was signed is in the ledger before anybody has it.
 * @param signers may be none where the ledger has signatures already
 * @throws BUNDLE_OTHER_TENANT, BUNDLE_SIGNER_UNKNOWN, BUNDLE_BAD_SIGNATURE, BUNDLE_VERSION_TAKEN, BUNDLE_UNSIGNED,
 *   BUNDLE_LEDGER_CORRUPT, STATE_LOCKED, STATE_UNWRITABLE, and every SIGNER_ code
 */
export async function signBundle(job: SigningJob, signers: readonly KeySigner[]): Promise<SignedBundle> {
  const root = rootOfJob(job);
  assertSigners(root, signers);
  makePrivateDir(job.folder);
  const unlock = await lockWithin(ledgerFiles(job.folder).lock, LOCK_MS);
  try {
    const ledger = readLedger(job.folder);
    const { envelope: begun, reused } = beginStatement(job, root, ledger);
    const envelope = await addSignatures(begun, signers);
    if (envelope.signatures.length === 0)
      throw bundleTrustErrors.error("BUNDLE_UNSIGNED", "no key is named that would sign");
    const known = knownSigners(envelope, root);
    if (!isRecorded(ledger, envelope)) appendLedger(job.folder, ledger, envelope);
    const slot = renderSlot({ statement: envelope, roots: job.roots });
    return { slot, statement: statementOf(envelope), reused, signers: known, threshold: root.root.threshold };
  } finally {
    unlock();
  }
}

/**
 * The statement that {@link signBundle} would sign; changes nothing.
 * @throws what that throws, but for what only a key or the disk says
 */
export function planSigning(job: SigningJob): { readonly statement: Statement; readonly reused: boolean } {
  const { envelope, reused } = beginStatement(job, rootOfJob(job), readLedger(job.folder));
  return { statement: statementOf(envelope), reused };
}

/**
 * Holds, before there is anything to sign, that these keys may sign for a tenant, and that the ledger is whole.
 * @throws BUNDLE_ROOT_MISSING, BUNDLE_OTHER_TENANT, BUNDLE_SIGNER_UNKNOWN, BUNDLE_LEDGER_CORRUPT
 */
export function assertMaySign(
  job: Pick<SigningJob, "roots" | "folder"> & { readonly manifest: Pick<SigningJob["manifest"], "tenant"> },
  signers: readonly KeySigner[],
): void {
  assertSigners(rootOfJob(job), signers);
  readLedger(job.folder);
}

function rootOfJob({
  roots,
  manifest,
}: {
  readonly roots: readonly SignedRoot[];
  readonly manifest: Pick<SigningJob["manifest"], "tenant">;
}): SignedRoot {
  const root = roots.at(-1);
  if (root === undefined) throw bundleTrustErrors.error("BUNDLE_ROOT_MISSING", "no root of trust says who signs");
  if (root.root.tenant === manifest.tenant) return root;
  const message = `the bundle is of tenant "${manifest.tenant}", and the root of trust of "${root.root.tenant}"`;
  throw bundleTrustErrors.error("BUNDLE_OTHER_TENANT", message);
}

function assertSigners({ root }: SignedRoot, signers: readonly KeySigner[]): void {
  const keys = keysOf(root.signers);
  for (const { publicKeySpki, where } of signers) {
    const fingerprint = fingerprintOf(publicKeySpki);
    if (keys.has(fingerprint)) continue;
    const message = `the key in ${where}, ${fingerprint}, is no signer by root ${root.version}; accepted: ${root.signers.map(({ name }) => name).join(", ")}`;
    throw bundleTrustErrors.error("BUNDLE_SIGNER_UNKNOWN", message, { path: "--key" });
  }
}

/** The statement of the bundle, that of the ledger for the same bundle, or the next one. */
function beginStatement(
  job: SigningJob,
  root: SignedRoot,
  { entries }: Ledger,
): { envelope: Envelope; reused: boolean } {
  const { existing } = job;
  if (existing !== undefined && isOf(job, root, statementOf(existing)))
    return { envelope: joined(existing, root, entries), reused: true };
  const { base } = job.manifest;
  // Deltas are only ways to full bundles: one between does not make the same full bundle another one.
  const last = entries.findLast(({ statement }) => statement.predicate.base === base);
  if (last !== undefined && isOf(job, root, last.statement)) return { envelope: last.envelope, reused: true };
  return { envelope: nextStatement(job, root, newestVersion(entries) + 1), reused: false };
}

/** What the bundle has, with what the ledger has on the same content. */
function joined(existing: Envelope, root: SignedRoot, entries: readonly LedgerEntry[]): Envelope {
  knownSigners(existing, root);
  const statement = statementOf(existing);
  const { version } = statement.predicate;
  if (!mayFollow(entries, { envelope: existing, statement })) {
    const message = `the bundle has version ${version}, and this ledger has another content of it, or version ${newestVersion(entries)}`;
    throw bundleTrustErrors.error("BUNDLE_VERSION_TAKEN", message);
  }
  const same = entries.findLast((each) => each.envelope.payload === existing.payload);
  return same === undefined ? existing : mergeSignatures(same.envelope, existing);
}

/** Whether a statement is of this very bundle, under the newest root. */
function isOf({ manifestBytes, sums, manifest }: SigningJob, { root }: SignedRoot, statement: Statement): boolean {
  const { deployment, rootVersion } = statement.predicate;
  return (
    rootVersion === root.version &&
    deployment === manifest.deployment &&
    manifestDigestOf(statement) === digestOf(manifestBytes) &&
    `sha256:${statement.subject[1].digest.sha256}` === digestOf(sums)
  );
}

function nextStatement(
  { manifestBytes, sums, manifest, now, warnAfterSeconds }: SigningJob,
  { root }: SignedRoot,
  version: number,
): Envelope {
  if (version > MAX_VERSION)
    throw bundleTrustErrors.error("BUNDLE_VERSION_TAKEN", `the highest version is ${MAX_VERSION}`);
  const { tenant, deployment, base } = manifest;
  const facts = {
    ...{ tenant, deployment, version, rootVersion: root.version, created: momentOf(now) },
    warnAfter: momentOf(new Date(now.getTime() + (warnAfterSeconds ?? DEFAULT_WARN_DAYS * 86_400) * 1000)),
    ...(base === undefined ? {} : { base }),
  };
  return unsigned(STATEMENT_TYPE, renderStatement(facts, manifestBytes, sums));
}

function isRecorded({ entries }: Ledger, { payload, signatures }: Envelope): boolean {
  const last = entries.findLast(({ envelope }) => envelope.payload === payload);
  return last !== undefined && JSON.stringify(last.envelope.signatures) === JSON.stringify(signatures);
}
