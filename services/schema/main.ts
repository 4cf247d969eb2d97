import pino from "pino";
import { EXIT } from "../../shared/errors.ts";
import { loadConfig } from "../runtime/config.ts";
import { configFile, reportFailure } from "../runtime/program.ts";
import { schemaConfig } from "./config.ts";
import { runSchemaJob } from "./job.ts";

const NAME = "schema";
// All that it does is one transaction after the other, so that it may end anywhere.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(EXIT.cancelled));
try {
  const config = loadConfig(configFile(NAME), schemaConfig);
  const log = pino({ level: config.logLevel, base: { name: config.name } });
  await runSchemaJob({ config, log, now: Date.now });
  log.info("done");
} catch (thrown) {
  process.exitCode = reportFailure(NAME, thrown);
}
