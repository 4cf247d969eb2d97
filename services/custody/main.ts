import { runService } from "../runtime/run.ts";
import { listenUnix } from "../runtime/unix-socket.ts";
import { custodyConfig } from "./config.ts";
import { createKemServer } from "./kem-server.ts";
import { createKeyUsage } from "./key-usage.ts";
import { createKeyring } from "./keyring.ts";
import { custodyRoutes } from "./routes.ts";

await runService({
  name: "custody",
  configSchema: custodyConfig,
  start: async ({ config, log, events, now }) => {
    const keyring = createKeyring(config, now);
    const usage = createKeyUsage(events);
    const kem = createKemServer({
      log,
      open: async (items) => {
        const results = await keyring.backend()?.decapsulate(items);
        if (results) usage.record(items, results);
        return results ?? null;
      },
    });
    await keyring.unseal();
    await listenUnix(kem.server, config.socket);
    const timer = setInterval(usage.flush, config.keyUsageSeconds * 1000);
    return {
      ready: () => keyring.backend() !== null,
      status: () => ({ counters: kem.counters, ...(keyring.backend() ? {} : { reason: "sealed" }) }),
      routes: custodyRoutes(keyring, now),
      stop: async () => {
        clearInterval(timer);
        await kem.close();
        usage.flush();
        keyring.seal();
      },
    };
  },
});
