import { runService } from "../runtime/run.ts";
import { guardConfig } from "./config.ts";
import { startGuard } from "./start.ts";

await runService({
  name: "broker-guard",
  configSchema: guardConfig,
  start: async (context) => {
    const guard = await startGuard(context, {
      onLine: (line) => process.stderr.write(`${line}\n`),
      // Whoever looks after this process starts both anew.
      onDeath: (code) => process.exit(code === 0 ? 1 : code),
    });
    process.on("SIGHUP", guard.lookNow);
    return guard;
  },
});
