import type { Deployment } from "../../model/deployment.ts";
import { MANAGE_SOCKET } from "../../modules/custody/component.ts";
import { callControl } from "../../shared/control-client.ts";
import type { CertsSite } from "./certs-site.ts";
import { pinShownSigner } from "./generations/signer-pin.ts";
import { introduce } from "./introduce.ts";
import type { OperatorClient } from "./operator-client.ts";
import { provision } from "./provision.ts";
import { type Control, publishRecipients } from "./recipients.ts";
import { assertNoneRevoked } from "./revoked-gateways.ts";

/** A deployment whose components run. */
export interface FirstSteps {
  readonly deployment: Deployment;
  readonly site: CertsSite;
  /** Path on this machine of a component's socket. */
  readonly socket: (component: string, socket: string) => string;
  /** Waits until these components are well. */
  readonly well: (components: readonly string[]) => Promise<void>;
  readonly onProgress: (what: string) => void;
}

/** Calls the control sockets of components. */
export function controlOf(socket: FirstSteps["socket"]): Control {
  return (component, method, path, body) =>
    callControl(socket(component, "control"), method, path, body, { timeoutSeconds: 30 });
}

/**
 * Does once what components cannot do for each other: custody's public key goes to the backend, and simulated sensors are
 * provisioned and told to send.
 * @throws SERVICE_FAILED, and what `well` throws
 */
export async function takeFirstSteps({ deployment, site, socket, well, onProgress }: FirstSteps): Promise<void> {
  const control = controlOf(socket);
  await well(["custody", "backend"]);
  const operator = await site.operator();
  const manageSocket = socket("custody", MANAGE_SOCKET);
  await pinShownSigner(site.layout.dir, manageSocket);
  await publishRecipients(manageSocket, operator);
  onProgress("custody's public key is with the backend");
  assertNoneRevoked(await introduce(site, operator));
  const { sensors, ratePerSecond } = deployment.simulator;
  if (sensors === 0) return;
  await well(["simulator", ...deployment.gateways.slice(0, 1)]);
  const added = await provisionSensors(control, operator, sensors);
  await control("simulator", "POST", "/run", { rate: ratePerSecond, total: null });
  onProgress(`${sensors} simulated sensors send ${ratePerSecond} messages per second, ${added} of them new`);
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
