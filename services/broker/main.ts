import { runService } from "../runtime/run.ts";
import { startBroker } from "./broker.ts";
import { brokerServiceConfig } from "./config.ts";

await runService({
  name: "broker",
  configSchema: brokerServiceConfig,
  start: async (context) => {
    const broker = await startBroker(context);
    return {
      status: () => ({ port: broker.port, counters: broker.counters }),
      ready: () => true,
      stop: broker.close,
    };
  },
});
