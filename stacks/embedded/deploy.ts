import { readFileSync, rmSync } from "node:fs";
import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Placement } from "../../model/placement.ts";
import { MANAGE_SOCKET } from "../../modules/custody/component.ts";
import { DATABASE } from "../../modules/timescaledb/component.ts";
import { migrate } from "../../modules/timescaledb/migrate.ts";
import { applyRetention } from "../../modules/timescaledb/retention.ts";
import { callControl } from "../../shared/control-client.ts";
import type { TrustKernError } from "../../shared/errors.ts";
import type { Authorities } from "../host/authorities.ts";
import { type CertsSite, certsLockOf } from "../host/certs-site.ts";
import { claimDirs } from "../host/claim.ts";
import { hostErrors } from "../host/errors.ts";
import { logEvent } from "../host/event-log.ts";
import { makePrivateDir, writePrivate } from "../host/files.ts";
import { pinShownSigner } from "../host/generations/signer-pin.ts";
import { introduce } from "../host/introduce.ts";
import { type Layout, layoutOf } from "../host/layout.ts";
import { takeLock } from "../host/lock.ts";
import type { OperatorClient } from "../host/operator-client.ts";
import { type ComponentStatus, waitReady } from "../host/readiness.ts";
import { publishRecipients } from "../host/recipients.ts";
import { assertNoneRevoked } from "../host/revoked-gateways.ts";
import { prepareSecrets } from "../host/secrets.ts";
import { readState, writeState } from "../host/state.ts";
import { assertWitnesses, witnessedVolumes } from "../host/witnesses.ts";
import { embeddedSite } from "./certs-site.ts";
import { keepRenewed } from "./keep-renewed.ts";
import { waitForOldProcesses } from "./linger.ts";
import { planEmbedded } from "./plan.ts";
import { processOf } from "./process.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

/** What {@link deployEmbedded} is handed; it reads no environment and no clock of its own. */
export interface EmbeddedOptions {
  readonly deployment: Deployment;
  /** State directory. */
  readonly dir: string;
  readonly temporaryDir: string;
  /** Folder of this project, where the services' programs are. */
  readonly projectRoot: string;
  /** The Node runtime. */
  readonly execPath: string;
  readonly clock: () => Date;
  readonly pid: number;
  /** Text of a vectors file whose recipient key custody imports; dev only. */
  readonly fixture?: string | undefined;
  /** Ends a deployment that is on its way: DEPLOY_CANCELLED. */
  readonly signal: AbortSignal;
  /** Hears what happens, one short sentence at a time. */
  readonly onProgress: (what: string) => void;
}

/** A deployment that runs. */
export interface EmbeddedDeployment {
  readonly layout: Layout;
  readonly model: Model;
  readonly placement: Placement;
  readonly authorities: Authorities;
  readonly supervisor: Supervisor;
  readonly operator: OperatorClient;
  /** Calls a component's control socket. */
  readonly control: (component: string, method: "GET" | "POST", path: string, body?: unknown) => Promise<unknown>;
  readonly waitReady: (component: string) => Promise<ComponentStatus>;
  /** Ends every process and gives the state directory back. */
  readonly stop: () => Promise<void>;
}

/** Longest wait for one component at the first start on a slow machine. */
const READY_MS = 90_000;

/**
 * Brings a deployment up on this machine, or resumes it: same addresses, same keys, same rows.
 * @throws STATE_LOCKED, STATE_CORRUPT, STATE_UNWRITABLE, PORT_IN_USE, SERVICE_NOT_READY, and what a component's start fails with
 */
export async function deployEmbedded(options: EmbeddedOptions): Promise<EmbeddedDeployment> {
  const layout = layoutOf(options.dir, options.temporaryDir);
  claimDirs(layout);
  const unlock = takeLock(layout.lockFile, options.pid);
  const now = (): number => options.clock().getTime();
  const supervisor = createSupervisor(options.execPath, {}, now);
  const failure = (): TrustKernError | undefined =>
    options.signal.aborted
      ? hostErrors.error("DEPLOY_CANCELLED", "interrupted while it started")
      : supervisor.failure();
  let endRenewal = async (): Promise<void> => undefined;
  const stop = async (): Promise<void> => {
    await endRenewal();
    await supervisor.stop();
    rmSync(layout.runDir, { recursive: true, force: true });
    unlock();
  };
  try {
    const { deployment } = options;
    const state = readState(layout.stateFile, deployment.tenant, "embedded");
    const { model, placement, ports } = await planEmbedded(deployment, layout, state?.ports ?? {});
    const unlockCerts = takeLock(certsLockOf({ layout }), options.pid);
    const authorities = await prepareSecrets({
      layout,
      model,
      secretFile: placement.secretFile,
      tenant: deployment.tenant,
      namespace: undefined,
      pki: deployment.pki,
      clock: options.clock,
      existing: state !== undefined,
      fixture: options.fixture,
      onEvent: (event) => logEvent(layout, event),
    }).finally(unlockCerts);
    const createdAt = state?.createdAt ?? options.clock().toISOString();
    const { tenant } = deployment;
    const remember = (volumes: readonly string[]): void =>
      writeState(layout.stateFile, {
        schema: "trustkern.embedded-state/1",
        tenant,
        createdAt,
        ports,
        volumes: [...volumes],
      });
    assertWitnesses(model, state?.volumes ?? [], placement.volumeDir);
    remember(state?.volumes ?? []);
    await waitForOldProcesses(model, () => options.onProgress("processes of an earlier run are ending"));
    if (options.signal.aborted) throw failure();
    startAll(model, layout, options, supervisor);
    options.onProgress(`${model.components.length} processes start`);
    const site = await embeddedSite({ ...options, actor: "trustkern up" });
    const deployed: EmbeddedDeployment = {
      layout,
      model,
      placement,
      authorities,
      supervisor,
      operator: await site.operator(),
      control: (component, method, path, body) =>
        callControl(placement.socket(component, "control"), method, path, body),
      waitReady: (name) =>
        waitReady({
          name,
          socket: placement.socket(name, "control"),
          limitMs: READY_MS,
          now,
          failure,
        }),
      stop,
    };
    await prepareServices(deployed, site, options);
    remember([...new Set([...(state?.volumes ?? []), ...witnessedVolumes(model, placement.volumeDir)])]);
    const { pid, onProgress } = options;
    endRenewal = keepRenewed({ site, pid, onProgress });
    return deployed;
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

function startAll(model: Model, layout: Layout, options: EmbeddedOptions, supervisor: Supervisor): void {
  for (const component of model.components) {
    const { service } = component;
    if (service === undefined) throw new TypeError(`${component.name} has no program of ours to run`);
    for (const { path, content } of component.files) writePrivate(path, content);
    for (const { path } of component.volumes) makePrivateDir(path);
    const sockets = model.flows
      .filter((flow) => flow.from === component.name && flow.protection === "unix")
      .flatMap(
        (flow) =>
          model.components.find(({ name }) => name === flow.to)?.sockets.filter(({ name }) => name === flow.port) ?? [],
      )
      .map(({ path }) => path);
    supervisor.start(processOf({ ...component, service }, sockets, layout, options.projectRoot));
  }
}

/** What every component needs of another before it can be ready: tables, and the recipient key that sensors encrypt to. */
async function prepareServices(
  deployed: EmbeddedDeployment,
  site: CertsSite,
  { deployment, onProgress }: EmbeddedOptions,
): Promise<void> {
  const migrated = async (): Promise<void> => {
    await deployed.waitReady("database");
    onProgress("the database answers; its tables are brought up to date");
    const { host, port } = deployed.placement.endpoint("database", "postgres");
    const password = readFileSync(deployed.placement.secretFile("database", "owner.password"), "utf8");
    const owner = { host, port, database: DATABASE.database, user: DATABASE.owner, password };
    await migrate(owner);
    await applyRetention(owner, deployment.retention);
  };
  const recipients = async (): Promise<readonly string[]> => {
    await Promise.all([deployed.waitReady("custody"), deployed.waitReady("backend")]);
    const manageSocket = deployed.placement.socket("custody", MANAGE_SOCKET);
    await pinShownSigner(deployed.layout.dir, manageSocket);
    await publishRecipients(manageSocket, deployed.operator);
    onProgress("custody's public key is with the backend");
    return introduce(site, deployed.operator);
  };
  const [, revoked] = await Promise.all([migrated(), recipients()]);
  assertNoneRevoked(revoked);
  await Promise.all(deployed.model.components.map(({ name }) => deployed.waitReady(name)));
  deployed.supervisor.settle();
}
