import { hostname } from "node:os";
import { kemStatus as statusOf } from "../../custody/kem-status.ts";
import { Management } from "../../custody/proto/custody_pb.ts";
import { createGrpcServer } from "../runtime/grpc/server.ts";
import { serveUnix } from "../runtime/grpc/unix.ts";
import { runService } from "../runtime/run.ts";
import { listenUnix } from "../runtime/unix-socket.ts";
import { custodyConfig } from "./config.ts";
import { createCustodian } from "./custodian.ts";
import { createFollowing } from "./following.ts";
import { createKemAnswer } from "./kem-answer.ts";
import { createKemServer } from "./kem-server.ts";
import { createKeyUsage } from "./key-usage.ts";
import { managementHandlers } from "./management.ts";
import { openKeys } from "./open-keys.ts";
import { custodyStatus } from "./status.ts";
import { storeIsNew } from "./store-is-new.ts";

/** A package of a ceremony is a few hundred bytes. */
const MAX_MESSAGE_BYTES = 65_536;
/** How soon it is told that the writer was not heard of for too long; nothing is opened from that moment in any case. */
const LOOK_MS = 500;

await runService({
  name: "custody",
  configSchema: custodyConfig,
  start: async ({ config, log, events, now }) => {
    const custodian = createCustodian({
      events,
      open: (passphrase) => openKeys(config, () => new Date(now()), passphrase, config.replicas?.self ?? hostname()),
    });
    const following = createFollowing({ custodian, events });
    const usage = createKeyUsage(events);
    const kem = createKemAnswer({ custodian, usage, log, hear: following.hear });
    const server = createKemServer({ log, answer: kem.answer });
    if (config.unseal === "at-start") await custodian.unseal("custody");
    const management = createGrpcServer({ maxMessageBytes: MAX_MESSAGE_BYTES, statusOf });
    management.add(
      Management,
      managementHandlers(custodian, () => storeIsNew(config.keyStore)),
    );
    await listenUnix(server.server, config.kemSocket);
    const closeManagement = await serveUnix(management, config.manageSocket);
    const timers = [
      setInterval(usage.flush, config.keyUsageSeconds * 1000),
      setInterval(() => void following.look(), LOOK_MS),
    ];
    return {
      ready: () => custodian.opened() !== null,
      status: () => custodyStatus(custodian, { ...kem.counters, ...server.counters }),
      stop: async () => {
        timers.forEach(clearInterval);
        await Promise.all([server.close(), closeManagement()]);
        usage.flush();
        await custodian.seal("custody", "the service stops");
      },
    };
  },
});
