import { assertPeople, type People } from "../../certs/ceremony/people.ts";
import { sealGenerationPackage } from "../package.ts";
import { assertRecipients, encryptShare } from "./age-share.ts";
import { type Deal, deal } from "./deal.ts";
import { type CeremonyHeld, type EntryRequest, withEntry } from "./entry.ts";
import { escrowErrors } from "./errors.ts";
import { type EscrowFile, renderEscrow } from "./escrow-file.ts";
import type { EscrowFolderFile } from "./folder.ts";
import { assertQuorum, type Quorum } from "./holders.ts";
import { rehearseAll } from "./rehearse.ts";
import { ceremonyPublicKey, type EscrowSecrets, makeSecrets, wipe } from "./secrets.ts";
import { renderShare } from "./share.ts";
import { type CeremonyEntry, openEntries, sha256 } from "./transcript.ts";

/** Name of the transcript in a ceremony's folder. */
export const TRANSCRIPT_FILE = "transcript.jws";

/** What a new generation is made for. */
export interface KeyCeremonyRequest extends CeremonyHeld, Quorum {
  readonly tenant: string;
  /** Custody's import key: raw X25519 public key, 32 bytes in lower-case hex. */
  readonly importKey: string;
  /** Whether the shares are tried at once, each of them. */
  readonly rehearse: boolean;
  /** Whether shares of holders without a recipient, or of all of them, are handed out as text. */
  readonly print: "none" | "without-recipient" | "all";
}

/** A share for one holder to copy or print. */
export interface PrintedShare {
  readonly index: number;
  readonly holder: string;
  /** A secret. */
  readonly text: string;
}

/** What a ceremony leaves; of the private key, nothing but the escrow and the package. */
export interface KeyCeremony {
  readonly escrow: EscrowFile;
  /** What it added to the transcript. */
  readonly entries: readonly CeremonyEntry[];
  /** Everything but the printed shares. */
  readonly files: readonly EscrowFolderFile[];
  readonly printed: readonly PrintedShare[];
}

/**
 * Makes a generation: its key, the escrow of it, a package that one custody alone can open, and a signed transcript.
 * @throws CEREMONY_NAME_INVALID, CUSTODY_ESCROW_QUORUM, CUSTODY_ESCROW_HOLDER, PROTOCOL_BAD_KEY for an import key that is none
 */
export async function holdKeyCeremony(request: KeyCeremonyRequest): Promise<KeyCeremony> {
  await assertHandedOut(request);
  const { tenant, threshold, holders, importKey } = request;
  const time = request.now.toISOString();
  const secrets = makeSecrets();
  try {
    const dealt = await deal({ secrets, tenant, createdAt: time, dealtAt: time, threshold, holders });
    const { privateKey } = secrets;
    const sealed = sealGenerationPackage({ importKey, privateKey, metadata: { tenant, createdAt: time } });
    const made = { package: { importKey, sha256: sha256(sealed) } };
    const extra = [{ name: `generation-${dealt.escrow.keyId}.package.json`, content: sealed }];
    return await folderOf(request, dealt, secrets, { act: "made", before: "", made, extra });
  } finally {
    wipe(secrets);
  }
}

/** What {@link reshare} deals anew. */
export interface ReshareRequest extends Omit<KeyCeremonyRequest, "tenant" | "importKey"> {
  readonly escrow: EscrowFile;
  /** What a quorum of the set in force gives. The caller wipes it. */
  readonly secrets: EscrowSecrets;
  /** Numbers of the shares that gave it. */
  readonly used: readonly number[];
  /** The transcript so far, verified; empty for none. */
  readonly before: string;
}

/**
 * Deals the same generation to other holders: another escrow key, another escrow file, other shares.
 * @throws as {@link holdKeyCeremony}
 */
export async function reshare(request: ReshareRequest): Promise<KeyCeremony> {
  await assertHandedOut(request);
  const { escrow, secrets, used, before, threshold, holders, now } = request;
  const { tenant, createdAt } = escrow;
  const dealt = await deal({ secrets, tenant, createdAt, dealtAt: now.toISOString(), threshold, holders });
  const made = { used: [...used], replaces: escrow.setId };
  return folderOf(request, dealt, secrets, { act: "reshared", before, made, extra: [] });
}

interface FolderParts extends Pick<EntryRequest, "act" | "before" | "made"> {
  readonly extra: readonly EscrowFolderFile[];
}

async function folderOf(
  request: CeremonyHeld & Pick<KeyCeremonyRequest, "print" | "rehearse">,
  { escrow, shares }: Deal,
  secrets: EscrowSecrets,
  { act, before, made, extra }: FolderParts,
): Promise<KeyCeremony> {
  const texts = shares.map(({ share, holder }) => ({ index: share.index, holder, text: renderShare(share) }));
  for (const { share } of shares) share.bytes.fill(0);
  const holders = shares.map(({ holder: { name, operator, recipient } }) => ({
    ...{ name, operator },
    ...(recipient === undefined ? {} : { recipient }),
  }));
  let transcript = await withEntry({ ...request, act, escrow, secrets, before, made: { holders, ...made } });
  if (request.rehearse) {
    await rehearseAll(escrow, texts);
    const used = texts.map(({ index }) => index);
    transcript = await withEntry({ ...request, act: "rehearsed", escrow, secrets, before: transcript, made: { used } });
  }
  const entries = await openEntries(transcript, escrow, TRANSCRIPT_FILE);
  const done = before.split("\n").length - 1;
  const files = [...extra, { name: `escrow-${escrow.keyId}.json`, content: renderEscrow(escrow) }];
  for (const { index, holder, text } of texts) {
    if (holder.recipient === undefined) continue;
    files.push({ name: `share-${index}-${holder.name}.age`, content: await encryptShare(holder.recipient, text) });
  }
  return {
    escrow,
    entries: entries.slice(done),
    files: [
      ...files,
      { name: TRANSCRIPT_FILE, content: transcript },
      {
        name: "transcript.pub.pem",
        content: ceremonyPublicKey(escrow.ceremonyKey).export({ format: "pem", type: "spki" }).toString(),
      },
    ],
    printed: texts
      .filter(({ holder }) => request.print === "all" || holder.recipient === undefined)
      .map(({ index, holder, text }) => ({ index, holder: holder.name, text })),
  };
}

/**
 * Refuses, before any key is made or anybody is asked, what would end a ceremony in its middle.
 * @throws CEREMONY_NAME_INVALID, CUSTODY_ESCROW_QUORUM, CUSTODY_ESCROW_HOLDER
 */
export async function assertHandedOut(request: Quorum & People & Pick<KeyCeremonyRequest, "print">): Promise<void> {
  assertPeople(request);
  assertQuorum(request);
  await assertRecipients(request.holders);
  const without = request.holders.filter(({ recipient }) => recipient === undefined).map(({ name }) => name);
  if (request.print !== "none" || without.length === 0) return;
  const message = `the shares of ${without.join(", ")} would go nowhere: they have no recipient, and nothing is printed`;
  throw escrowErrors.error("CUSTODY_ESCROW_HOLDER", message, { path: "custody.escrow.holders" });
}
