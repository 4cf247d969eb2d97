import { beforeEach, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../custody/audit/record.ts";
import type { FollowAnswer } from "../../custody/replicas/answer.ts";
import { replicaErrors } from "../../custody/replicas/errors.ts";
import type { Follower } from "../../custody/replicas/follower.ts";
import type { SecurityEventInput } from "../runtime/security-events.ts";
import type { OpenKeys } from "./custodian.ts";
import { createFollowing, type Following } from "./following.ts";
import { storeAway } from "./test-keys.ts";

const ANSWER: FollowAnswer = { statement: "s", introduction: Uint8Array.of(1), state: "", keys: [] };
const FACTS = { kind: "vault", custodyClass: "software", keysInUse: "in-memory", where: "vault" } as const;

let fresh: boolean;
let fails: Error | null;
let held: OpenKeys | null;
let events: SecurityEventInput[];
let recorded: AuditEntry[];
let following: Following;
const follower = {
  fresh: () => fresh,
  follow: async () => {
    if (fails) throw fails;
    fresh = true;
  },
} as unknown as Follower;
beforeEach(() => {
  [fresh, fails, events, recorded] = [false, null, [], []];
  const audit = { append: async (entry: AuditEntry) => void recorded.push(entry) };
  held = { follower, audit, keyring: { facts: FACTS } } as unknown as OpenKeys;
  following = createFollowing({
    custodian: { held: () => held },
    events: { emit: (event) => void events.push(event) },
  });
});
const kinds = () => events.map(({ kind, reason }) => `${kind} ${reason}`);
const refusal = (code: "CUSTODY_WRITER_BEHIND" | "CUSTODY_WRITER_FORGED") => replicaErrors.error(code, "no");

describe("a custody that follows", () => {
  it("says that it is unsealed once it has heard of the writer, and once", async () => {
    await following.hear(follower, ANSWER);
    await following.hear(follower, ANSWER);
    expect(kinds()).toEqual(["CUSTODY_UNSEALED vault, software"]);
  });

  it("records and says that it is sealed when it did not hear for too long, and that it is open again", async () => {
    await following.hear(follower, ANSWER);
    fresh = false;
    await following.look();
    await following.look();
    expect(recorded).toMatchObject([{ kind: "sealed", actor: "custody" }]);
    await following.hear(follower, ANSWER);
    expect(events.map(({ kind }) => kind)).toEqual(["CUSTODY_UNSEALED", "CUSTODY_SEALED", "CUSTODY_UNSEALED"]);
  });

  it("says nothing of its own where somebody has ordered it sealed", async () => {
    await following.hear(follower, ANSWER);
    [fresh, held] = [false, null];
    await following.look();
    expect([recorded, events.length]).toEqual([[], 1]);
  });

  it("tells of a refusal once, of another one again, and anew after an answer was taken", async () => {
    for (const code of ["CUSTODY_WRITER_BEHIND", "CUSTODY_WRITER_BEHIND", "CUSTODY_WRITER_FORGED"] as const) {
      fails = refusal(code);
      await expect(following.hear(follower, ANSWER)).rejects.toMatchObject({ code });
    }
    fails = null;
    await following.hear(follower, ANSWER);
    fails = refusal("CUSTODY_WRITER_FORGED");
    await expect(following.hear(follower, ANSWER)).rejects.toThrow();
    expect(kinds().filter((each) => each.startsWith("CUSTODY_WRITER"))).toEqual([
      "CUSTODY_WRITER_REFUSED CUSTODY_WRITER_BEHIND",
      "CUSTODY_WRITER_REFUSED CUSTODY_WRITER_FORGED",
      "CUSTODY_WRITER_REFUSED CUSTODY_WRITER_FORGED",
    ]);
  });

  it("blames no writer for a store that is away", async () => {
    fails = storeAway("vault is away");
    await expect(following.hear(follower, ANSWER)).rejects.toThrow();
    expect(events).toEqual([]);
  });
});
