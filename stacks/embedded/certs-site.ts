import { setTimeout as sleep } from "node:timers/promises";
import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import type { CertsSite } from "../host/certs-site.ts";
import { hostErrors } from "../host/errors.ts";
import { logEvent } from "../host/event-log.ts";
import { layoutOf } from "../host/layout.ts";
import { operatorClient } from "../host/operator-client.ts";
import { type ComponentStatus, statusOf } from "../host/readiness.ts";
import { backendSide } from "../host/rotation/backend-side.ts";
import { type CertificateStatus, engineFleet } from "../host/rotation/engine-fleet.ts";
import { openStoredPki } from "../host/secrets.ts";
import { attachEmbedded } from "./attach.ts";

/** What the certificates of an embedded deployment are opened with. */
export interface EmbeddedSiteOptions {
  readonly deployment: Deployment;
  /** State directory. */
  readonly dir: string;
  readonly temporaryDir: string;
  readonly clock: () => Date;
  /** Common name of who does it, for the ledger. */
  readonly actor: string;
}

/** Longest wait for a component that was started again, in milliseconds. */
const AGAIN_MS = 30_000;

/**
 * The certificates of a deployment that `up` runs, or has run.
 * @throws NOT_DEPLOYED, STATE_CORRUPT
 */
export async function embeddedSite(options: EmbeddedSiteOptions): Promise<CertsSite> {
  const { deployment, clock } = options;
  const { tenant } = deployment;
  const layout = layoutOf(options.dir, options.temporaryDir);
  const placement = attachEmbedded(deployment, options.dir, options.temporaryDir);
  const { secretFile } = placement;
  const model = buildModel(deployment, placement);
  const pki = await openStoredPki(
    { layout, model, secretFile, tenant, namespace: undefined, clock, onEvent: (event) => logEvent(layout, event) },
    options.actor,
  );
  const socketOf = ({ name }: Component): string => placement.socket(name, "control");
  const ask = (component: Component): Promise<(ComponentStatus & CertificateStatus) | undefined> =>
    statusOf(socketOf(component)).catch(() => undefined);
  const client = operatorClient({
    endpoint: placement.endpoint("backend", "https"),
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
    handOver: async () => undefined,
    operator,
    fleet: async () =>
      engineFleet({
        components: model.components,
        secretFile,
        leafFiles: pki.leafFiles,
        issuedHere: () => pki.ledger.gatewaysIssued(clock()),
        clock,
        status: ask,
        // This host issues for gateways and operators by itself.
        authority: async () => undefined,
        startedAt: async () => startsOf(model.components, ask),
        restart: (component) => startAgain(component, ask),
        reload: (component) => startAgain(component, ask),
        backend: backendSide(operator, clock),
      }),
  };
}

type Ask = (component: Component) => Promise<(ComponentStatus & { readonly startedAt?: string }) | undefined>;

async function startsOf(components: readonly Component[], ask: Ask): Promise<ReadonlyMap<string, Date>> {
  const seen = await Promise.all(components.map(async (component) => [component.name, await ask(component)] as const));
  return new Map(
    seen.flatMap(([name, status]) =>
      status?.startedAt === undefined ? [] : [[name, new Date(status.startedAt)] as const],
    ),
  );
}

/** Its supervisor, in the process of `up`, starts what ends. */
async function startAgain(component: Component, ask: Ask): Promise<void> {
  const before = await ask(component);
  if (before === undefined) return;
  process.kill(before.pid, "SIGTERM");
  for (let waited = 0; waited < AGAIN_MS; waited += 100) {
    const now = await ask(component);
    if (now?.ready === true && now.pid !== before.pid) return;
    await sleep(100);
  }
  throw hostErrors.error("SERVICE_NOT_READY", `${component.name} did not come back`, { path: component.name });
}
