import { decodeJwt } from "jose";
import { GENERATION_STATES } from "../../custody/generation.ts";
import type { Custodian } from "./custodian.ts";

/** What `GET /status` shows of custody, beside what every service shows. Holds no secret. */
export function custodyStatus(custodian: Custodian, counters: Readonly<Record<string, number>>): object {
  const keys = custodian.opened();
  const role = roleOf(custodian);
  if (keys === null)
    return { counters, sealed: true, sealedBecause: custodian.sealedBecause(), reason: "sealed", ...role };
  const states = keys.keyring.list().map(({ state }) => state);
  return {
    counters,
    sealed: false,
    ...role,
    store: keys.keyring.facts,
    generations: Object.fromEntries(
      GENERATION_STATES.map((state) => [state, states.filter((each) => each === state).length]),
    ),
    auditSeq: decodeJwt(keys.audit.head()).seq,
  };
}

/** Of several custodies: whether it writes or follows, and when it heard of the writer. */
function roleOf(custodian: Custodian): object {
  const held = custodian.held();
  if (held?.answerFollower) return { role: "writer" };
  if (held?.follower === undefined) return {};
  const age = held.follower.ageSeconds();
  return { role: "follower", ...(Number.isFinite(age) && { writerHeardSecondsAgo: Math.round(age) }) };
}
