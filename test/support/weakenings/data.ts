import { checksOf } from "../../../operations/verify/checks.ts";
import { type DataObservation, judgeData, type PlaceCheck } from "../../../operations/verify/data/judge.ts";
import type { Weakening, Weakenings } from "./weakening.ts";

const PLACES = checksOf("data").filter((id) => id !== "data.stored") as readonly PlaceCheck[];
const CLEAN: DataObservation["looks"][PlaceCheck] = { searched: 3, old: 0, hits: [], unread: [], blind: [] };
const SOUND: DataObservation = {
  unsent: null,
  deliveries: [{ gateway: "gw-01", answer: "2.04", receipt: true, stored: { rows: 1, whole: 1 } }],
  unwell: [],
  looks: Object.fromEntries(PLACES.map((id) => [id, CLEAN])) as DataObservation["looks"],
  missed: {},
  inside: [],
  elsewhere: [],
  aftermath: "the sensor is revoked again",
};

function by(change: Partial<DataObservation>): Weakening {
  return { sound: () => judgeData(SOUND), weakened: () => judgeData({ ...SOUND, ...change }) };
}

/** The plaintext found in the places of one check. */
function leakIn(id: PlaceCheck): Weakening {
  const hits = [{ place: "here", canary: "the message through gw-01", form: "text", belongs: false }] as const;
  return by({ looks: { ...SOUND.looks, [id]: { ...CLEAN, hits } } });
}

/** Weakenings of the layer data: what its judge sees where the mitigation is gone. */
export const DATA_WEAKENINGS: Weakenings = {
  ...Object.fromEntries(PLACES.map((id) => [id, leakIn(id)])),
  "data.stored": by({
    deliveries: [{ gateway: "gw-01", answer: "2.04", receipt: true, stored: { rows: 0, whole: 0 } }],
  }),
};
