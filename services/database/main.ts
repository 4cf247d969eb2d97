import { runService } from "../runtime/run.ts";
import { databaseConfig } from "./config.ts";
import { startDatabase } from "./start.ts";

await runService({
  name: "database",
  configSchema: databaseConfig,
  start: (context) => startDatabase(context, (exitCode) => process.exit(exitCode)),
});
