import { describeTls } from "../runtime/broker-trust/own-tls.ts";
import { runService } from "../runtime/run.ts";
import { startBroker } from "./broker.ts";
import { brokerServiceConfig } from "./config.ts";

await runService({
  name: "broker",
  configSchema: brokerServiceConfig,
  start: async (context) => {
    const broker = await startBroker(context);
    return {
      status: () => {
        const { tls, crls } = broker.trust();
        const issuers = crls.map(({ issuer, number, nextUpdate }) => ({
          issuer,
          number: String(number),
          nextUpdate: nextUpdate.toISOString(),
        }));
        return { port: broker.port, counters: broker.counters, tls: describeTls(tls), crl: { issuers } };
      },
      ready: () => true,
      stop: broker.close,
    };
  },
});
