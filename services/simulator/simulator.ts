import type { RunningService, ServiceContext } from "../runtime/run.ts";
import { readTls } from "../runtime/tls.ts";
import type { SimulatorConfig } from "./config.ts";
import { openFleet } from "./fleet.ts";
import { simulatorRoutes } from "./routes.ts";
import { startRunLoop } from "./run-loop.ts";
import { openNvm } from "./sensor/nvm.ts";

/**
 * Starts the simulator: boots its sensors, and goes on with the run that was on.
 * @throws SIM_STATE_UNUSABLE, SERVICE_FILE_UNREADABLE
 */
export async function startSimulator(context: ServiceContext<SimulatorConfig>): Promise<RunningService> {
  const { config, log, now } = context;
  const rogueTls = readTls(config.rogue.tls);
  const nvm = openNvm(config.stateDir);
  const gateway = { address: config.gatewayCoap.host, port: config.gatewayCoap.port };
  let refusedUpdates = 0;
  const fleet = await openFleet({
    stateDir: config.stateDir,
    nvm,
    gateway,
    timing: config.coapTiming,
    now,
    random: Math.random,
    onRefusedUpdate: (sensorId, code) => {
      refusedUpdates += 1;
      log.warn({ sensorId, code }, "sensor refused an update");
    },
  });
  const loop = startRunLoop(fleet, nvm, now, (error) => log.error({ err: error }, "sensor"));

  function counters(): object {
    const memories = fleet.sensors().map(({ memory }) => memory());
    return {
      sensors: memories.length,
      acknowledged: memories.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      rejected: memories.reduce((sum, { rejected }) => sum + rejected, 0),
      pending: memories.filter(({ pending }) => pending).length,
      refusedUpdates,
      remaining: loop.remaining(),
    };
  }

  return {
    ready: () => true,
    status: () => ({ counters: counters() }),
    routes: simulatorRoutes({ config, fleet, nvm, loop, gateway, rogueTls }),
    async stop() {
      loop.close();
      fleet.close();
      nvm.close();
    },
  };
}
