import { runService } from "../runtime/run.ts";
import { simulatorConfig } from "./config.ts";
import { startSimulator } from "./simulator.ts";

await runService({ name: "simulator", configSchema: simulatorConfig, start: startSimulator });
