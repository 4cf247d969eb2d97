import { join } from "node:path";
import { serverName } from "../../../model/placement.ts";
import type { CertsSite } from "../../host/certs-site.ts";
import { hostErrors } from "../../host/errors.ts";
import { logEvent } from "../../host/event-log.ts";
import { operatorClient } from "../../host/operator-client.ts";
import { statusOf } from "../../host/readiness.ts";
import { backendSide } from "../../host/rotation/backend-side.ts";
import { type CertificateStatus, engineFleet } from "../../host/rotation/engine-fleet.ts";
import { shownAuthority } from "../../host/rotation/shown-authority.ts";
import { openStoredPki } from "../../host/secrets.ts";
import { servicesNamespace } from "../../host/services-namespace.ts";
import { readState } from "../../host/state.ts";
import { podNamed } from "../pods.ts";
import { applySecrets, startAnew } from "./apply-secrets.ts";
import type { Cluster } from "./cluster.ts";
import type { Forwards } from "./forwards.ts";
import { isRunning, podsOf } from "./pods-running.ts";

/**
 * The certificates of a deployment that a cluster runs. What it writes goes to the cluster's Secrets.
 * @param actor common name of who does it, for the ledger
 * @throws NOT_DEPLOYED, STATE_CORRUPT
 */
export async function clusterSite(cluster: Cluster, forwards: Forwards, actor: string): Promise<CertsSite> {
  assertDeployed(cluster);
  const { options, layout, model, plan, api } = cluster;
  const { deployment, clock } = options;
  const { tenant } = deployment;
  const namespace = servicesNamespace(deployment);
  const secretFile = (component: string, secret: string): string => join(layout.secretsDir, component, secret);
  const pki = await openStoredPki(
    { layout, model, secretFile, tenant, namespace, clock, onEvent: (event) => logEvent(layout, event) },
    actor,
  );
  const client = operatorClient({
    endpoint: await forwards.endpoint("backend", "https"),
    authorities: pki.authorities,
    clock,
    onIssued: pki.enter,
  });
  const operator = async () => client;
  const own = model.components.filter(({ name, health }) => {
    return podNamed(plan.pods, name) !== undefined && health.kind !== "exit";
  });
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
    handOver: () => applySecrets(cluster),
    fleet: async () =>
      engineFleet({
        components: own,
        secretFile,
        leafFiles: pki.leafFiles,
        issuedHere: () => pki.ledger.gatewaysIssued(clock()),
        clock,
        status: async ({ name, sockets }) => {
          if (sockets.every((socket) => socket.name !== "control")) return undefined;
          return (await statusOf(forwards.socket(name, "control")).catch(() => undefined)) as
            | CertificateStatus
            | undefined;
        },
        authority: async ({ name, ports }) =>
          shownAuthority({
            ...(await forwards.endpoint(name, ports[0]?.name ?? "")),
            servername: serverName(name, tenant),
            anchors: pki.store.anchors(),
          }),
        startedAt: async () => {
          const starts = await Promise.all(
            own.map(async ({ name }) => {
              const pod = podNamed(plan.pods, name);
              const running = pod === undefined ? [] : (await podsOf(api, plan, pod)).filter(isRunning);
              const times = running.map(({ status }) => new Date(status?.startTime ?? 0));
              // Of several the oldest: what was written after it began is news for one of them.
              const [first] = times.toSorted((a, b) => a.getTime() - b.getTime());
              return first === undefined ? [] : [[name, first] as const];
            }),
          );
          return new Map(starts.flat());
        },
        restart: ({ name }) => startAnew(cluster, name),
        reload: ({ name }) => startAnew(cluster, name),
        backend: backendSide(operator, clock),
      }),
  };
}

/** @throws NOT_DEPLOYED where no deploy ever began, STATE_CORRUPT */
export function assertDeployed({ layout, options: { deployment } }: Pick<Cluster, "layout" | "options">): void {
  if (readState(layout.stateFile, deployment.tenant, "kubernetes") !== undefined) return;
  throw hostErrors.error("NOT_DEPLOYED", `there is no deployment in "${layout.dir}"`, {
    path: layout.dir,
    fix: "bring it up with trustkern deploy, or name its state directory with --dir",
  });
}
