import { randomBytes } from "node:crypto";
import { split } from "shamir-secret-sharing";
import { keyIdOf } from "../../protocol/hpke.ts";
import { HPKE_SUITE } from "../generation.ts";
import { type EscrowFile, sealEscrow } from "./escrow-file.ts";
import { assertQuorum, type Holder, type Quorum } from "./holders.ts";
import { type EscrowSecrets, publicKeysOf } from "./secrets.ts";
import { type Share, shareDigest, tenantHashOf } from "./share.ts";

/** Secrets to be dealt, and to whom. */
export interface DealRequest extends Quorum {
  readonly secrets: EscrowSecrets;
  readonly tenant: string;
  /** When the generation was made; RFC 3339, UTC. */
  readonly createdAt: string;
  /** RFC 3339, UTC. */
  readonly dealtAt: string;
}

/** A set of shares, and the escrow file that a quorum of them opens. */
export interface Deal {
  readonly escrow: EscrowFile;
  /** One for each holder, in their order; secrets. */
  readonly shares: readonly { readonly holder: Holder; readonly share: Share }[];
}

/**
 * Encrypts secrets with a new escrow key and splits that key; nobody has it afterwards. Another deal of the same secrets has
 * another key and other polynomials: its shares and those of this one make nothing together.
 * @throws CUSTODY_ESCROW_QUORUM, CUSTODY_ESCROW_HOLDER
 */
export async function deal(request: DealRequest): Promise<Deal> {
  assertQuorum(request);
  const { secrets, tenant, createdAt, dealtAt, threshold, holders } = request;
  const { publicKey, ceremonySpki } = publicKeysOf(secrets);
  const [keyId, setId] = [keyIdOf(publicKey).toString("hex"), randomBytes(8).toString("hex")];
  // The library takes a Uint8Array that is no Buffer.
  const escrowKey = new Uint8Array(randomBytes(32));
  try {
    const parts = await split(escrowKey, holders.length, threshold);
    const shared = { tenantHash: tenantHashOf(tenant), keyId, setId, threshold, total: holders.length };
    const shares = holders.map((holder, at) => ({
      holder,
      share: { ...shared, index: at + 1, bytes: parts[at] ?? new Uint8Array() },
    }));
    const escrow = sealEscrow(
      {
        schema: "trustkern.escrow/1",
        suite: HPKE_SUITE,
        ...{ tenant, createdAt, dealtAt, keyId, setId, threshold },
        publicKey: publicKey.toString("hex"),
        ceremonyKey: ceremonySpki.toString("base64"),
        shares: shares.map(({ holder: { name, operator }, share }) => ({
          index: share.index,
          holder: name,
          operator,
          sha256: shareDigest(share),
        })),
      },
      escrowKey,
      secrets,
    );
    return { escrow, shares };
  } finally {
    escrowKey.fill(0);
  }
}
