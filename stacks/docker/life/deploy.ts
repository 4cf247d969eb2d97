import { statSync } from "node:fs";
import { join } from "node:path";
import type { Component } from "../../../model/component.ts";
import { dockerOutput } from "../../host/docker-cli.ts";
import { fingerprintOf, type SigningKeyPlace } from "../../host/trust/signing-key.ts";
import { openStartKey } from "../../host/trust/start-key.ts";
import type { AskPassphrase } from "../../host/trust/unseal.ts";
import type { ProgressEvent } from "../terraform/progress.ts";
import { bootstrap } from "./bootstrap.ts";
import { waitHealthy } from "./health.ts";
import { asKeyFailure, assertHostKeys } from "./host-keys.ts";
import { inspectContainers } from "./inspect.ts";
import { removeLeftovers } from "./leftovers.ts";
import { limitProcesses } from "./limit-processes.ts";
import { assertNamesFree } from "./names-free.ts";
import type { DockerOptions } from "./options.ts";
import { settlePlan } from "./plan-docker.ts";
import { prepareHost } from "./prepare.ts";
import { reloadContainers } from "./reload.ts";
import { type Rendered, renderDocker } from "./render.ts";
import { signDeployed, unsealDeployed } from "./start.ts";
import { inWorkspace } from "./workspace.ts";

/** How to deploy. */
export interface DeployOptions extends DockerOptions {
  /** Absolute path of a plan file of `plan --out`. @default what the stack says now */
  readonly planFile?: string | undefined;
  /** Whether to wait until every health check passes. */
  readonly wait: boolean;
  /** Where the key is that signs the start manifest. */
  readonly startKey: SigningKeyPlace;
  /** @default the decryption keys open without a person */
  readonly passphrase?: AskPassphrase | undefined;
  readonly onResource: (event: ProgressEvent) => void;
}

/** What a deploy came to. */
export interface DeployReport {
  readonly schema: "trustkern.deploy/1";
  /** Names of the components, in the order in which they start. */
  readonly components: readonly string[];
  /** Resources that were made, changed or removed. */
  readonly changed: number;
  /** Whether every health check passed; false where nobody waited. */
  readonly healthy: boolean;
}

const GRACE_SECONDS = 60;

/**
 * Makes the running containers what `trustkern.yaml` says. A second run converges, whatever ended the first.
 * It ends with a signed start manifest, by which custody is unsealed, now and after each start.
 * @throws RENDERED_STACK_REFUSED, HOST_KEYS_UNREACHABLE, START_SIGNER_DIFFERS, CUSTODY_START_REFUSED, STATE_LOCKED, STATE_CORRUPT, PLAN_STALE, COMPONENT_UNHEALTHY, and what OpenTofu fails with
 */
export async function deployDocker(options: DeployOptions): Promise<DeployReport> {
  const rendered = renderDocker(options);
  let changed = 0;
  const counting = {
    ...options,
    onResource: (event: ProgressEvent) => {
      if (event.state === "done") changed += 1;
      options.onResource(event);
    },
  };
  await assertHostKeys(options.deployment, rendered.layout.authoritiesDir, options.runAs);
  return inWorkspace(counting, rendered, async ({ terraform, keepStack, assertFresh }) => {
    if (options.planFile !== undefined) assertFresh(options.planFile);
    // Before anything is changed: a deploy that cannot be signed leaves custody sealed at its next start.
    await using opened = new AsyncDisposableStack();
    const signer = opened.adopt(await openStartKey(rendered.layout, options.startKey, options.deployment), (key) =>
      key.close(),
    );
    const { settle } = await prepareHost(options, rendered);
    options.onProgress("comparing with what runs");
    const planFile = options.planFile ?? join(rendered.layout.terraformDir, "deploy.plan");
    // A plan is not to be had while another run is at work: what that one is making is not left over.
    await terraform.plan(options.planFile === undefined ? planFile : join(rendered.layout.terraformDir, "lock.plan"));
    const known = await terraform.resources();
    // Where there is nothing yet, nothing has drifted.
    if (options.planFile === undefined && known.length > 0)
      await settlePlan(planFile, terraform, rendered, options.docker);
    await removeLeftovers(options, rendered, known);
    await assertNamesFree(options, rendered);
    keepStack();
    await terraform.apply(planFile);
    try {
      await limitProcesses(options, rendered, (names) => allHealthy(options, rendered, names));
      await restartRenewed(options, rendered);
      const version = await signDeployed(options, rendered, signer);
      const by = `${signer.where} (SHA-256 ${fingerprintOf(signer.publicKeySpki)})`;
      options.onProgress(`start manifest ${version} is signed by ${by}`);
      await unsealDeployed(options, rendered, options.passphrase);
      await becomeReady(options, rendered);
    } catch (thrown) {
      throw asKeyFailure(thrown, options.deployment);
    }
    settle();
    return {
      schema: "trustkern.deploy/1",
      components: rendered.model.components.map(({ name }) => name),
      changed,
      healthy: options.wait,
    };
  });
}

/** What fails first ends the waiting for the rest. */
async function becomeReady(options: DeployOptions, rendered: Rendered): Promise<void> {
  const failed = new AbortController();
  const both = { ...options, signal: AbortSignal.any([options.signal, failed.signal]) };
  try {
    await Promise.all([bootstrap(both, rendered), ...(options.wait ? [allHealthy(both, rendered)] : [])]);
  } finally {
    failed.abort();
  }
}

async function allHealthy(
  { docker, clock, signal, onProgress }: DeployOptions,
  { layout, model }: Rendered,
  names: readonly string[] = model.components.map(({ name }) => name),
): Promise<void> {
  await waitHealthy({
    docker,
    layout,
    components: model.components.filter(({ name }) => names.includes(name)),
    graceSeconds: GRACE_SECONDS,
    now: () => clock().getTime(),
    signal,
    onWell: (name, condition) => onProgress(`${name} is ${condition}`),
  });
}

/**
 * Has what runs since before its certificate was renewed take the new one: by a signal, or by another start; what watches its
 * files has it already. Told by the files' times, so that a renewal counts after a run that failed, too.
 */
async function restartRenewed(options: DeployOptions, { layout, model }: Rendered): Promise<void> {
  const { docker, onProgress } = options;
  const found = await inspectContainers(
    docker,
    model.components.map(({ name }) => name),
  );
  const old = model.components.filter(({ name, secrets }) => {
    const { Running, StartedAt } = found.get(name)?.State ?? { Running: false, StartedAt: "" };
    const certificates = secrets.filter((secret) => secret.name.endsWith(".crt"));
    const written = certificates.map((secret) => statSync(join(layout.secretsDir, name, secret.name)).mtimeMs);
    return Running && written.some((time) => time > Date.parse(StartedAt));
  });
  const taking = (how: Component["renewal"]): readonly string[] =>
    old.filter(({ renewal }) => renewal === how).map(({ name }) => name);
  const [restart, reload] = [taking("restart"), taking("reload")];
  if (reload.length > 0) await reloadContainers(reload, options);
  if (restart.length === 0) return;
  onProgress(`new certificates: ${restart.join(", ")} start again`);
  await dockerOutput(docker, ["restart", ...restart], { timeoutMs: 180_000 });
}
