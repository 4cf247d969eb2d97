import { kemErrors, sealed } from "../../custody/kem-errors.ts";
import type { FrameResponse } from "../../custody/kem-frames.ts";
import { countItems, type KemUse, MAX_KEM_ITEMS, packItems, RESULT_BYTES } from "../../custody/kem-items.ts";
import { type Kem, type Outcome, Use } from "../../custody/proto/custody_pb.ts";
import type { MethodsOf } from "../../shared/grpc/definition.ts";
import type { Handlers } from "../runtime/grpc/server.ts";
import type { CustodyLink, Question } from "./custody-link.ts";
import type { Admission } from "./limits.ts";

/** What {@link kemHandlers} works with. */
export interface KemServiceOptions {
  /** Who asks: the one identity that may. */
  readonly client: string;
  readonly link: Pick<CustodyLink, "ask">;
  readonly admission: Admission;
  readonly counters: Record<"batches" | "items", number>;
}

const USES: Readonly<Record<number, KemUse | undefined>> = { [Use.LIVE]: "live", [Use.STORED]: "stored" };

/** What answers Kem: what is well-formed and within the limits goes to the crypto service as it came. */
export function kemHandlers({ client, link, admission, counters }: KemServiceOptions): Handlers<MethodsOf<typeof Kem>> {
  async function ask(question: Question): Promise<FrameResponse> {
    const response = await link.ask(question);
    if (!("error" in response) || response.error === "sealed") return response;
    throw unavailable(`the crypto service opens nothing: ${response.code}`);
  }

  async function open(use: Use, items: Uint8Array): Promise<Uint8Array> {
    const known = USES[use];
    const count = countItems(items);
    if (known === undefined) throw malformed(`use ${use}; accepted: live, stored`);
    if (count === null) throw malformed(`${items.length} bytes of items; accepted: 1 to ${MAX_KEM_ITEMS} times 40`);
    const release = admission.admit(count);
    try {
      const response = await ask({ client, use: known, items });
      if ("error" in response) throw sealed();
      if (!("results" in response) || response.results.length !== count * RESULT_BYTES)
        throw unavailable("the crypto service gave other results than it was asked for");
      counters.batches += 1;
      counters.items += count;
      return response.results;
    } finally {
      release();
    }
  }

  return {
    decapsulate: async ({ use, keyId, encapsulatedKey }) => {
      if (keyId.length !== 8 || encapsulatedKey.length !== 32)
        throw malformed(`key id of ${keyId.length} and encapsulated key of ${encapsulatedKey.length} bytes`);
      const [outcome = 0, ...secret] = await open(use, packItems([{ keyId, encapsulatedKey }]));
      return { outcome: outcome as Outcome, sharedSecret: outcome === 0 ? Uint8Array.from(secret) : new Uint8Array() };
    },
    decapsulateBatch: async ({ use, items }) => ({ results: await open(use, items) }),
    health: async () => ({ sealed: "error" in (await ask({})) }),
  };
}

function unavailable(why: string): Error {
  return kemErrors.error("CUSTODY_KEM_UNAVAILABLE", why);
}

function malformed(why: string): Error {
  return kemErrors.error("CUSTODY_KEM_MALFORMED", `malformed request: ${why}`);
}
