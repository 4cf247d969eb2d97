import type { Deployment } from "../../model/deployment.ts";
import { type Placement, serverName } from "../../model/placement.ts";
import { EVERY_ADDRESS } from "../../modules/common.ts";
import { gateway } from "../../modules/gateway/component.ts";
import { usualPort } from "../../modules/reference-placement.ts";
import { stableJson } from "../../shared/stable-json.ts";
import type { PublishedPort } from "../../stacks/docker/ports.ts";
import { PLACES } from "./places.ts";

/** What the configuration of a gateway elsewhere is rendered from. */
export interface KitConfigOptions {
  readonly deployment: Deployment;
  readonly name: string;
  /** At which the gateway reaches the host of the deployment. */
  readonly address: string;
  /** Of the deployment, as its host listens. */
  readonly published: readonly PublishedPort[];
}

/**
 * The configuration that the module renders for every gateway, with the places of another machine, and with the enrolment in
 * place of a certificate. It serves no metrics: nobody here scrapes another machine.
 */
export function kitConfig({ deployment, name, address, published }: KitConfigOptions): string {
  const placement: Placement = {
    endpoint: (component, port) => ({
      host: address,
      port: portOf(published, component, port),
      servername: serverName(component, deployment.tenant),
    }),
    secretFile: (_, secret) => `${PLACES.config}/${secret}`,
    volumeDir: () => PLACES.state,
    configFile: (_, file) => `${PLACES.config}/${file}`,
    socket: (_, socket) => `${PLACES.run}/${socket}.sock`,
    listenAddresses: () => [EVERY_ADDRESS],
  };
  const [file] = gateway(deployment, placement, name).files;
  const { metrics: _, ...common } = JSON.parse(file?.content ?? "{}") as Readonly<Record<string, unknown>>;
  const enrolment = {
    tokenFile: `${PLACES.credentials}/enrolment.token`,
    deviceCertFile: `${PLACES.credentials}/device.crt`,
    deviceKeyFile: `${PLACES.credentials}/device.key`,
  };
  return `${stableJson({ ...common, enrolment }, 2)}\n`;
}

/** A port of the deployment has the number of its host; one of the gateway itself the usual one. */
function portOf(published: readonly PublishedPort[], component: string, port: string): number {
  const found = published.find((each) => each.component === component && each.port.name === port);
  return found?.external ?? usualPort(component, port);
}
