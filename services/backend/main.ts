import { runService } from "../runtime/run.ts";
import { backendConfig } from "./config.ts";
import { startBackend } from "./start.ts";

await runService({ name: "backend", configSchema: backendConfig, start: startBackend });
