import type { Logger } from "pino";
import { auditErrors } from "../../custody/audit/errors.ts";
import type { FrameRequest, FrameResponse, Refusal } from "../../custody/kem-frames.ts";
import { packResults, unpackItems } from "../../custody/kem-items.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import type { Custodian, OpenKeys } from "./custodian.ts";
import type { KeyUsage } from "./key-usage.ts";

/** Who counts what it refused. */
const BROKER = "custody-broker";

/** What {@link createKemAnswer} works with. */
export interface KemAnswerOptions {
  readonly custodian: Custodian;
  readonly usage: Pick<KeyUsage, "record">;
  readonly log: Pick<Logger, "warn" | "error">;
}

/** Answers frames, with what was counted. */
export interface KemAnswer {
  readonly counters: Readonly<Record<"batches" | "items" | "sealed" | "unavailable", number>>;
  readonly answer: (request: FrameRequest) => Promise<FrameResponse>;
}

/** Opens and records by the keyring, which records before it answers. A fault is no verdict: nothing of that batch was answered. */
export function createKemAnswer({ custodian, usage, log }: KemAnswerOptions): KemAnswer {
  const counters = { batches: 0, items: 0, sealed: 0, unavailable: 0 };

  function refuse(id: number): FrameResponse {
    counters.sealed += 1;
    return { id, error: "sealed" };
  }

  async function act(request: FrameRequest, { keyring, audit }: OpenKeys): Promise<FrameResponse> {
    const { id } = request;
    if ("refused" in request) {
      await Promise.all(
        request.refused.map((detail: Refusal) => audit.append({ kind: "refused", actor: BROKER, detail })),
      );
      return { id };
    }
    if (!("items" in request)) return { id };
    const { client, use } = request;
    const items = unpackItems(request.items);
    const results = await keyring.decapsulate({ client, use, items });
    counters.batches += 1;
    counters.items += items.length;
    usage.record(items, results);
    return { id, results: packResults(results) };
  }

  return {
    counters,
    answer: async (request) => {
      const keys = custodian.opened();
      if (keys === null) return refuse(request.id);
      try {
        return await act(request, keys);
      } catch (thrown) {
        // What fails because it was sealed in the meantime waits with the rest.
        if (custodian.opened() !== keys) return refuse(request.id);
        counters.unavailable += 1;
        if (thrown instanceof TrustKernError) log.warn(factsOf(thrown), "nothing is opened");
        else log.error({ reason: messageOf(thrown) }, "nothing is opened");
        const code = thrown instanceof TrustKernError ? thrown.code : "SERVICE_INTERNAL";
        return { id: request.id, error: "unavailable", code };
      }
    },
  };
}

/** What a log may have of an error: a store's message may be a driver's, and the audit log's own are all from here. */
function factsOf({ code, message, path, fix }: TrustKernError): object {
  return code in auditErrors.entries ? { code, reason: message, path, fix } : { code, path, fix };
}
