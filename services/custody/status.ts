import { decodeJwt } from "jose";
import { GENERATION_STATES } from "../../custody/generation.ts";
import type { Custodian } from "./custodian.ts";

/** What `GET /status` shows of custody, beside what every service shows. Holds no secret. */
export function custodyStatus(custodian: Custodian, counters: Readonly<Record<string, number>>): object {
  const keys = custodian.opened();
  if (keys === null) return { counters, sealed: true, sealedBecause: custodian.sealedBecause(), reason: "sealed" };
  const states = keys.keyring.list().map(({ state }) => state);
  return {
    counters,
    sealed: false,
    store: keys.keyring.facts,
    generations: Object.fromEntries(
      GENERATION_STATES.map((state) => [state, states.filter((each) => each === state).length]),
    ),
    auditSeq: decodeJwt(keys.audit.head()).seq,
  };
}
