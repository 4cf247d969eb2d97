import { stableJson } from "../../shared/stable-json.ts";
import { signJws } from "../signers/sign-jws.ts";
import type { KeySigner } from "../signers/signer.ts";
import { assertPeople, type People } from "./people.ts";
import { certificateEntry, TRANSCRIPT_TYPE, type Transcript, transcriptDigest } from "./transcript.ts";

/** A ceremony that makes some authorities of a deployment anew, or one more. */
export interface FollowUpRequest extends People {
  readonly tenant: string;
  readonly now: Date;
  /** Programs and their versions. */
  readonly versions: Readonly<Record<string, string>>;
  /** The key of the root that is in force from now on. */
  readonly root: KeySigner;
  /** Every authority that is in use from now on, the root first. */
  readonly authorities: readonly {
    /** `root`, a class of leaves, or `maker-<maker>`. */
    readonly id: string;
    readonly certPem: string;
    /** Where its private key is. */
    readonly key: string;
  }[];
  /** Those of them whose keys this ceremony makes; the others are taken over as they are. */
  readonly made: readonly string[];
  /** The transcript before it, compact JWS. @default there is none */
  readonly before?: string | undefined;
}

/**
 * The transcript of such a ceremony: about every authority in use, as the first one was, so that the newest one alone says what
 * is right; and signed by the root in force.
 * @throws CEREMONY_NAME_INVALID, and what the root's device throws
 */
export async function followUpTranscript(request: FollowUpRequest): Promise<string> {
  assertPeople(request);
  const { tenant, now, conductor, witnesses, versions, authorities, made, before, root } = request;
  const transcript: Transcript = {
    schema: "trustkern.ceremony/1",
    time: now.toISOString(),
    tenant,
    conductor,
    witnesses: [...witnesses],
    versions: { ...versions },
    certificates: authorities.map(({ id, certPem, key }) => certificateEntry(id, certPem, key)),
    made: [...made],
    ...(before === undefined ? {} : { follows: transcriptDigest(before) }),
  };
  return signJws(root, { typ: TRANSCRIPT_TYPE }, Buffer.from(stableJson(transcript)));
}
