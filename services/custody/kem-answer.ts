import type { Logger } from "pino";
import { auditErrors } from "../../custody/audit/errors.ts";
import { type FrameRequest, type FrameResponse, fitsFrame, type Refusal } from "../../custody/kem-frames.ts";
import { packResults, unpackItems } from "../../custody/kem-items.ts";
import type { FollowAnswer } from "../../custody/replicas/answer.ts";
import { replicaErrors } from "../../custody/replicas/errors.ts";
import type { Follower } from "../../custody/replicas/follower.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import type { Custodian, OpenKeys } from "./custodian.ts";
import type { KeyUsage } from "./key-usage.ts";

/** Who counts what it refused. */
const BROKER = "custody-broker";

/** What {@link createKemAnswer} works with. */
export interface KemAnswerOptions {
  readonly custodian: Custodian;
  readonly usage: Pick<KeyUsage, "record">;
  /** Has one that follows take an answer. @default its own */
  readonly hear?: (follower: Follower, answer: FollowAnswer) => Promise<void>;
  readonly log: Pick<Logger, "warn" | "error">;
}

/** Answers frames, with what was counted. */
export interface KemAnswer {
  readonly counters: Readonly<Record<"batches" | "items" | "sealed" | "unavailable", number>>;
  readonly answer: (request: FrameRequest) => Promise<FrameResponse>;
}

/** Opens and records by the keyring, which records before it answers. A fault is no verdict: nothing of that batch was answered. */
export function createKemAnswer(options: KemAnswerOptions): KemAnswer {
  const { custodian, usage, log, hear = (follower, answer) => follower.follow(answer) } = options;
  const counters = { batches: 0, items: 0, sealed: 0, unavailable: 0 };

  function refuse(id: number): FrameResponse {
    counters.sealed += 1;
    return { id, error: "sealed" };
  }

  /** What custodies say to each other: one that follows asks and hears while it may open nothing. */
  async function follow(request: FrameRequest, keys: OpenKeys): Promise<FrameResponse | null> {
    const { id } = request;
    if ("follow" in request) return keys.follower ? { id, question: keys.follower.question() } : { id };
    if ("state" in request) {
      if (!keys.answerFollower) throw replicaErrors.error("CUSTODY_WRITER_CHANGING", "this custody is no writer");
      const response = { id, answer: await keys.answerFollower(request.state) };
      if (fitsFrame(response)) return response;
      throw replicaErrors.error("CUSTODY_WRITER_KEYS", "there are more generations than fit into an answer");
    }
    if (!("heard" in request)) return null;
    if (keys.follower) await hear(keys.follower, request.heard);
    return { id };
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
      const among = isFollowing(request);
      const now = (): OpenKeys | null => (among ? custodian.held() : custodian.opened());
      const keys = now();
      if (keys === null) return among ? { id: request.id, error: "sealed" } : refuse(request.id);
      try {
        return (await follow(request, keys)) ?? (await act(request, keys));
      } catch (thrown) {
        // What fails because it was sealed in the meantime waits with the rest.
        if (now() !== keys) return refuse(request.id);
        counters.unavailable += 1;
        if (thrown instanceof TrustKernError) log.warn(factsOf(thrown), "nothing is opened");
        else log.error({ reason: messageOf(thrown) }, "nothing is opened");
        const code = thrown instanceof TrustKernError ? thrown.code : "SERVICE_INTERNAL";
        return { id: request.id, error: "unavailable", code };
      }
    },
  };
}

function isFollowing(request: FrameRequest): boolean {
  return "follow" in request || "state" in request || "heard" in request;
}

/** What a log may have of an error: a store's message may be a driver's, and the audit log's own are all from here. */
function factsOf({ code, message, path, fix }: TrustKernError): object {
  return code in auditErrors.entries || code in replicaErrors.entries
    ? { code, reason: message, path, fix }
    : { code, path, fix };
}
