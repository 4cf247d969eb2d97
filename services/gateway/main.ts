import { runService } from "../runtime/run.ts";
import { gatewayConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";

await runService({ name: "gateway", configSchema: gatewayConfig, start: startGateway });
