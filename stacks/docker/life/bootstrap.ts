import { MANAGE_SOCKET } from "../../../modules/custody/component.ts";
import { callControl } from "../../../shared/control-client.ts";
import { pinShownSigner } from "../../host/generations/signer-pin.ts";
import { introduce } from "../../host/introduce.ts";
import type { Layout } from "../../host/layout.ts";
import type { OperatorClient } from "../../host/operator-client.ts";
import { provision } from "../../host/provision.ts";
import { type Control, publishRecipients } from "../../host/recipients.ts";
import { assertNoneRevoked } from "../../host/revoked-gateways.ts";
import { hostSocket } from "../mounts.ts";
import { dockerSite } from "./certs-site.ts";
import { waitHealthy } from "./health.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";

/** Longest wait for one answer of a component, beyond its own start-up time. */
const GRACE_SECONDS = 60;

/** Calls the control socket of a container through the folder that it shares with this host. */
export function hostControl(layout: Layout): Control {
  return (component, method, path, body) =>
    callControl(hostSocket(layout, component, "control"), method, path, body, { timeoutSeconds: 30 });
}

/**
 * Does once what components cannot do for each other: custody's public key goes to the backend, and simulated sensors are
 * provisioned and told to send.
 * @throws COMPONENT_UNHEALTHY, SERVICE_FAILED, DEPLOY_CANCELLED
 */
export async function bootstrap(options: DockerOptions, rendered: Rendered): Promise<void> {
  const { deployment, onProgress } = options;
  const control = hostControl(rendered.layout);
  await wellBefore(options, rendered, ["custody", "backend"]);
  const site = await dockerSite(options, "trustkern deploy");
  const operator = await site.operator();
  const manageSocket = hostSocket(rendered.layout, "custody", MANAGE_SOCKET);
  await pinShownSigner(rendered.layout.dir, manageSocket);
  await publishRecipients(manageSocket, operator);
  onProgress("custody's public key is with the backend");
  assertNoneRevoked(await introduce(site, operator));
  const { sensors, ratePerSecond } = deployment.simulator;
  if (sensors === 0) return;
  await wellBefore(options, rendered, ["simulator", ...deployment.gateways.slice(0, 1)]);
  const added = await provisionSensors(control, operator, sensors);
  await control("simulator", "POST", "/run", { rate: ratePerSecond, total: null });
  onProgress(`${sensors} simulated sensors send ${ratePerSecond} messages per second, ${added} of them new`);
}

async function wellBefore(
  options: DockerOptions,
  { layout, model }: Rendered,
  names: readonly string[],
): Promise<void> {
  const { docker, clock, signal } = options;
  await waitHealthy({
    docker,
    layout,
    components: model.components.filter(({ name }) => names.includes(name)),
    graceSeconds: GRACE_SECONDS,
    now: () => clock().getTime(),
    signal,
    onWell: () => undefined,
  });
}

interface SimulatedSensor {
  readonly sensor_id: string;
  readonly state: string;
}

async function provisionSensors(control: Control, operator: OperatorClient, count: number): Promise<number> {
  const sensors = (await control("simulator", "POST", "/sensors", { count })) as readonly SimulatedSensor[];
  const fresh = sensors.filter(({ state }) => state === "factory");
  for (const { sensor_id } of fresh) {
    await provision(
      operator,
      async (question) =>
        (await control("simulator", "POST", `/sensors/${sensor_id}/radio`, question)) as Record<string, unknown>,
    );
  }
  for (const { sensor_id, state } of sensors) {
    if (state !== "joined") await control("simulator", "POST", `/sensors/${sensor_id}/join`);
  }
  return fresh.length;
}
