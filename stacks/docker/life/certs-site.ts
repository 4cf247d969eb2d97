import { join } from "node:path";
import type { Component } from "../../../model/component.ts";
import { serverName } from "../../../model/placement.ts";
import type { CertsSite } from "../../host/certs-site.ts";
import { dockerOutput } from "../../host/docker-cli.ts";
import { logEvent } from "../../host/event-log.ts";
import { operatorClient } from "../../host/operator-client.ts";
import { statusOf } from "../../host/readiness.ts";
import { backendSide } from "../../host/rotation/backend-side.ts";
import { type CertificateStatus, engineFleet } from "../../host/rotation/engine-fleet.ts";
import { shownAuthority } from "../../host/rotation/shown-authority.ts";
import { openStoredPki } from "../../host/secrets.ts";
import { hostSocket } from "../mounts.ts";
import { waitHealthy } from "./health.ts";
import { inspectContainers } from "./inspect.ts";
import type { DockerOptions } from "./options.ts";
import { giveAway } from "./prepare.ts";
import { backendEndpoint, publishedEndpoint } from "./published-endpoint.ts";
import { reloadContainers } from "./reload.ts";
import { renderDocker } from "./render.ts";
import { assertDeployed } from "./status.ts";

const GRACE_SECONDS = 60;
const RESTART_MS = 180_000;

/**
 * The certificates of a deployment that Docker runs.
 * @param actor common name of who does it, for the ledger
 * @throws NOT_DEPLOYED, STATE_CORRUPT, and what rendering throws
 */
export async function dockerSite(options: DockerOptions, actor: string): Promise<CertsSite> {
  assertDeployed(options);
  const { deployment, clock, docker } = options;
  const { tenant } = deployment;
  const { layout, model, plan } = renderDocker(options);
  const secretFile = (component: string, secret: string): string => join(layout.secretsDir, component, secret);
  const pki = await openStoredPki(
    { layout, model, secretFile, tenant, namespace: undefined, clock, onEvent: (event) => logEvent(layout, event) },
    actor,
  );
  const client = operatorClient({
    endpoint: backendEndpoint(plan),
    authorities: pki.authorities,
    clock,
    onIssued: pki.enter,
  });
  const operator = async () => client;
  return {
    layout,
    model,
    tenant,
    clock,
    secretFile,
    pki,
    keyPlaces: deployment.pki,
    support: deployment.support,
    operator,
    handOver: async () => {
      if (options.mayChown) giveAway(layout, model, options.runAs);
    },
    fleet: async () =>
      engineFleet({
        // A job that ends has nothing in force.
        components: model.components.filter(({ health }) => health.kind !== "exit"),
        secretFile,
        leafFiles: pki.leafFiles,
        issuedHere: () => pki.ledger.gatewaysIssued(clock()),
        clock,
        status: async (component) => {
          if (component.sockets.every(({ name }) => name !== "control")) return undefined;
          return (await statusOf(hostSocket(layout, component.name, "control")).catch(() => undefined)) as
            | CertificateStatus
            | undefined;
        },
        // step-ca calls itself by its component's name in every deployment.
        authority: ({ name }) =>
          shownAuthority({
            ...publishedEndpoint(plan, name),
            servername: serverName(name, tenant),
            anchors: pki.store.anchors(),
          }),
        startedAt: () => startsOf(options, model.components),
        restart: (component) => startAgain(options, layout, component),
        reload: ({ name }) => reloadContainers([name], { docker }),
        backend: backendSide(operator, clock),
      }),
  };
}

async function startsOf(
  { docker }: DockerOptions,
  components: readonly Component[],
): Promise<ReadonlyMap<string, Date>> {
  const names = components.map(({ name }) => name);
  const found = await inspectContainers(docker, names);
  return new Map(
    [...found].flatMap(([name, { State }]) => (State.Running ? [[name, new Date(State.StartedAt)] as const] : [])),
  );
}

async function startAgain(
  { docker, clock, signal }: DockerOptions,
  layout: CertsSite["layout"],
  component: Component,
): Promise<void> {
  await dockerOutput(docker, ["restart", component.name], { timeoutMs: RESTART_MS });
  await waitHealthy({
    docker,
    layout,
    components: [component],
    graceSeconds: GRACE_SECONDS,
    now: () => clock().getTime(),
    signal,
    onWell: () => undefined,
  });
}
