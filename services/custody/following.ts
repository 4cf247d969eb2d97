import type { FollowAnswer } from "../../custody/replicas/answer.ts";
import { replicaErrors } from "../../custody/replicas/errors.ts";
import type { Follower } from "../../custody/replicas/follower.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { SecurityEvents } from "../runtime/security-events.ts";
import { type Custodian, type OpenKeys, unsealedEvent } from "./custodian.ts";

/** What {@link createFollowing} works with. */
export interface FollowingOptions {
  readonly custodian: Pick<Custodian, "held">;
  readonly events: Pick<SecurityEvents, "emit">;
}

/** Tells what becomes of a custody that follows. */
export interface Following {
  /** Takes an answer; the first refusal of a kind is an event, until an answer was taken. */
  readonly hear: (follower: Follower, answer: FollowAnswer) => Promise<void>;
  /** Records that keys which were open are sealed, when the writer was not heard of for too long. */
  readonly look: () => Promise<void>;
}

/** Actor of what custody does by itself. */
const CUSTODY = "custody";

/** Watches the keys that a custodian holds. */
export function createFollowing({ custodian, events }: FollowingOptions): Following {
  let open: OpenKeys | null = null;
  let refused = "";

  function told(follower: Follower): void {
    const held = custodian.held();
    refused = "";
    if (held?.follower !== follower || !follower.fresh() || open === held) return;
    open = held;
    events.emit(unsealedEvent(CUSTODY, held.keyring.facts));
  }

  return {
    hear: async (follower, answer) => {
      try {
        await follower.follow(answer);
        told(follower);
      } catch (thrown) {
        const code = thrown instanceof TrustKernError ? thrown.code : "";
        // What is away, here or there, has refused nobody.
        if (code in replicaErrors.entries && code !== refused)
          events.emit({ kind: "CUSTODY_WRITER_REFUSED", actor: "custody-broker", object: CUSTODY, reason: code });
        refused = code;
        throw thrown;
      }
    },
    look: async () => {
      const before = open;
      if (before?.follower === undefined || before.follower.fresh()) return;
      open = null;
      // Whoever ordered it sealed meanwhile has recorded that.
      if (custodian.held() !== before) return;
      const reason = "the writer was not heard of for too long";
      const recorded = await before.audit.append({ kind: "sealed", actor: CUSTODY, detail: { reason } }).then(
        () => "recorded",
        () => "unrecorded",
      );
      events.emit({ kind: "CUSTODY_SEALED", actor: CUSTODY, object: CUSTODY, reason: `${reason}, ${recorded}` });
    },
  };
}
