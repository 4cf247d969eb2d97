import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { guardConfig } from "../../../services/broker-guard/config.ts";
import type { PublishStep } from "../../../services/broker-guard/crl-file.ts";
import { startGuard } from "../../../services/broker-guard/start.ts";
import { configFile } from "../../../services/runtime/program.ts";
import { runService } from "../../../services/runtime/run.ts";

const ORDER = join(dirname(configFile("broker-guard")), "kill-at");

/** The guard as its `main.ts` starts it, that dies, or has Mosquitto die, at the step which the file `kill-at` names. */
await runService({
  name: "broker-guard",
  configSchema: guardConfig,
  start: (context) =>
    startGuard(context, {
      onLine: (line) => process.stderr.write(`${line}\n`),
      onDeath: (code) => process.exit(code === 0 ? 1 : code),
      onStep: dieAt,
    }),
});

function dieAt(step: PublishStep): void {
  if (!existsSync(ORDER)) return;
  const [who, at] = readFileSync(ORDER, "utf8").split(" ");
  if (at !== step) return;
  rmSync(ORDER);
  // A container's processes end together; Mosquitto may also end alone.
  if (who === "all") process.kill(-process.pid, "SIGKILL");
  else spawnSync("pkill", ["-KILL", "-P", String(process.pid), "-x", "mosquitto"]);
}
