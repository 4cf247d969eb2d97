import { assertPeople, type People } from "../../certs/ceremony/people.ts";
import { type EscrowFile, renderEscrow } from "./escrow-file.ts";
import { ceremonySigner, type EscrowSecrets } from "./secrets.ts";
import { appendEntry, type CeremonyAct, type CeremonyEntry, sha256 } from "./transcript.ts";

/** Who is there, and what the transcript says of the machine. */
export interface CeremonyHeld extends People {
  readonly now: Date;
  /** Programs and their versions. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What a line of a transcript is made of, beside what the escrow file says. */
export interface EntryRequest extends CeremonyHeld {
  readonly act: CeremonyAct;
  readonly escrow: EscrowFile;
  readonly secrets: EscrowSecrets;
  /** The transcript so far, verified; empty for none. */
  readonly before: string;
  readonly made: Partial<Pick<CeremonyEntry, "used" | "replaces" | "package" | "holders">>;
}

/** A transcript with one more line about an escrow. @throws CEREMONY_NAME_INVALID */
export async function withEntry(request: EntryRequest): Promise<string> {
  assertPeople(request);
  const { act, escrow, secrets, before, made, now, conductor, witnesses, versions } = request;
  const entry: Omit<CeremonyEntry, "follows"> = {
    schema: "trustkern.key-ceremony/1",
    act,
    time: now.toISOString(),
    tenant: escrow.tenant,
    conductor,
    witnesses: [...witnesses],
    versions: { ...versions },
    keyId: escrow.keyId,
    publicKey: escrow.publicKey,
    setId: escrow.setId,
    threshold: escrow.threshold,
    escrowSha256: sha256(renderEscrow(escrow)),
    holders: escrow.shares.map(({ holder, operator }) => ({ name: holder, operator })),
    ...made,
  };
  return appendEntry(before, entry, await ceremonySigner(secrets, escrow.keyId));
}
