import type { Deployment } from "../../../model/deployment.ts";
import type { KeysOverview } from "../../../stacks/host/generations/overview.ts";
import type { Facts } from "../schema/facts-schema.ts";

/**
 * The decryption keys by their ids, and what protects them.
 * @param overview what `trustkern keys list` knows; undefined where custody did not answer
 */
export function keysOf({ custody }: Pick<Deployment, "custody">, overview: KeysOverview | undefined): Facts["keys"] {
  return {
    kind: custody.kind,
    custodyClass: overview?.store?.custodyClass ?? null,
    leastClass: custody.leastClass,
    owner: custody.owner,
    acceptSoftware: custody.acceptSoftware ?? null,
    sealed: overview?.sealed ?? null,
    verified: overview?.verified ?? false,
    generations: (overview?.generations ?? []).map((each) => ({
      keyId: each.keyId,
      state: each.state,
      origin: each.origin,
      createdAt: each.createdAt,
      activatedAt: each.activatedAt,
      retiredAt: each.retiredAt,
      destroyedAt: each.destroyedAt,
      compromised: each.compromised !== null,
    })),
  };
}
