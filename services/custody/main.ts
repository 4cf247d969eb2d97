import { kemStatus as statusOf } from "../../custody/kem-status.ts";
import { Management } from "../../custody/proto/custody_pb.ts";
import { createGrpcServer } from "../runtime/grpc/server.ts";
import { serveUnix } from "../runtime/grpc/unix.ts";
import { runService } from "../runtime/run.ts";
import { listenUnix } from "../runtime/unix-socket.ts";
import { custodyConfig } from "./config.ts";
import { createCustodian } from "./custodian.ts";
import { createKemAnswer } from "./kem-answer.ts";
import { createKemServer } from "./kem-server.ts";
import { createKeyUsage } from "./key-usage.ts";
import { managementHandlers } from "./management.ts";
import { openKeys } from "./open-keys.ts";
import { custodyStatus } from "./status.ts";

/** A package of a ceremony is a few hundred bytes. */
const MAX_MESSAGE_BYTES = 65_536;

await runService({
  name: "custody",
  configSchema: custodyConfig,
  start: async ({ config, log, events, now }) => {
    const custodian = createCustodian({
      events,
      open: (passphrase) => openKeys(config, () => new Date(now()), passphrase),
    });
    const usage = createKeyUsage(events);
    const kem = createKemAnswer({ custodian, usage, log });
    const server = createKemServer({ log, answer: kem.answer });
    if (config.unseal === "at-start") await custodian.unseal("custody");
    const management = createGrpcServer({ maxMessageBytes: MAX_MESSAGE_BYTES, statusOf });
    management.add(Management, managementHandlers(custodian));
    await listenUnix(server.server, config.kemSocket);
    const closeManagement = await serveUnix(management, config.manageSocket);
    const timer = setInterval(usage.flush, config.keyUsageSeconds * 1000);
    return {
      ready: () => custodian.opened() !== null,
      status: () => custodyStatus(custodian, { ...kem.counters, ...server.counters }),
      stop: async () => {
        clearInterval(timer);
        await Promise.all([server.close(), closeManagement()]);
        usage.flush();
        await custodian.seal("custody", "the service stops");
      },
    };
  },
});
