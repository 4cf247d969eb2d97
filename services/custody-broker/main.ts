import type { Refusal } from "../../custody/kem-frames.ts";
import { ITEM_BYTES, MAX_KEM_ITEMS } from "../../custody/kem-items.ts";
import { kemStatus as statusOf } from "../../custody/kem-status.ts";
import { Kem } from "../../custody/proto/custody_pb.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { createEventLimiter } from "../runtime/event-limiter.ts";
import { createGrpcServer } from "../runtime/grpc/server.ts";
import { runService } from "../runtime/run.ts";
import { custodyBrokerConfig } from "./config.ts";
import { createCustodyLink } from "./custody-link.ts";
import { kemHandlers } from "./kem-service.ts";
import { createAdmission } from "./limits.ts";
import { CLIENT, listenForCollector } from "./listen.ts";
import { refusalOf } from "./refusal-of.ts";
import { createRefusals } from "./refusals.ts";
import { runReplicas } from "./replicas.ts";

/** A request of 1024 items, and what is around them. */
const MAX_MESSAGE_BYTES = MAX_KEM_ITEMS * ITEM_BYTES + 64;
/** How often refusals are put on record, and events that are alike told. */
const FLUSH_MS = 1000;

await runService({
  name: "custody-broker",
  configSchema: custodyBrokerConfig,
  start: async ({ config, log, events, tls }) => {
    const counters = { batches: 0, items: 0, refused: { rate: 0, identity: 0, malformed: 0, sealed: 0 } };
    const limiter = createEventLimiter(events.emit);
    const link = createCustodyLink({ socketPath: config.custodySocket });
    const refusals = createRefusals(async (refused) => {
      const answer = await link.ask({ refused });
      if ("error" in answer) throw new Error(answer.error);
    });
    const refuse = (client: string, reason: Refusal["reason"]): void => {
      counters.refused[reason] += 1;
      refusals.count(client, reason);
      if (reason === "rate" || reason === "malformed")
        limiter.report({ kind: "RATE_LIMIT_EXCEEDED", actor: client, object: "kem", reason });
    };
    const grpc = createGrpcServer({
      maxMessageBytes: MAX_MESSAGE_BYTES,
      statusOf,
      onRefused: (thrown) => {
        const reason = refusalOf(thrown);
        if (reason !== null) refuse(CLIENT, reason);
        else if (!(thrown instanceof TrustKernError)) log.error({ err: thrown }, "a request failed");
      },
    });
    const admission = createAdmission(config, () => performance.now());
    grpc.add(Kem, kemHandlers({ client: CLIENT, link, admission, counters }));
    const listening = await listenForCollector(grpc, { config, tls }, limiter, (name) => refuse(name, "identity"));
    const { replicas } = config;
    const among =
      replicas &&
      (await runReplicas({
        ...{ replicas, tls, link, log, events: limiter },
        onStranger: (name) => refuse(name, "identity"),
      }));
    const timer = setInterval(() => {
      limiter.flush();
      void refusals.flush();
    }, FLUSH_MS);
    return {
      ready: link.connected,
      status: () => ({
        counters,
        ...(listening.port !== undefined && { port: listening.port }),
        ...(among && { replicasPort: among.port }),
        ...(link.connected() ? {} : { reason: "custody away" }),
      }),
      stop: async () => {
        clearInterval(timer);
        await Promise.all([listening.close(), among?.close()]);
        limiter.flush();
        await refusals.flush();
        link.close();
      },
    };
  },
});
