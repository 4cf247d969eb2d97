import { waitsForPerson } from "../../modules/custody/key-store.ts";
import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { type CustodyManagement, custodyManagement } from "../../stacks/host/custody-management.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { checkStart } from "../../stacks/host/trust/check.ts";
import { trustErrors } from "../../stacks/host/trust/errors.ts";
import { trustFiles } from "../../stacks/host/trust/place.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { pinnedStartKey } from "../../stacks/host/trust/start-key.ts";
import { renderUnit } from "../../stacks/host/trust/systemd-unit.ts";
import {
  healthOf,
  startRefused,
  type Unsealing,
  type UnsealReport,
  unsealChecked,
  unsealNow,
} from "../../stacks/host/trust/unseal.ts";
import { watchStarts } from "../../stacks/host/trust/watch.ts";
import { clusterDifferences } from "../../stacks/kubernetes/life/differences.ts";
import { onceSettled } from "../../stacks/kubernetes/life/settled.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { type CustodyHost, custodyHost } from "../custody-host.ts";
import { passphraseAsked } from "../custody-passphrase.ts";
import { cliErrors } from "../errors.ts";
import { projectFiles } from "../project-files.ts";
import { talk } from "../talk.ts";
import { actorOf } from "../user.ts";

/** `keys unseal`: checks the host first, and has custody unseal only where everything is as it was deployed. */
export const run: Run = async (context) => {
  const host = await custodyHost(context);
  const signer = signerOf(context);
  if (host.cluster !== undefined) assertForCluster(context);
  assertAlone(context, host);
  if (context.options.systemd === true) return printUnit(context, host, signer);
  const managements = [host.socket, ...host.followers].map(custodyManagement);
  try {
    const order = (management: CustodyManagement, ordinal: number): Promise<ExitCode> => {
      const check = checkOf(context, host, { signer, ordinal });
      return check === undefined
        ? unsealEmbedded(context, management)
        : unsealDeployed(context, unsealingOf(context, host, management, check));
    };
    // A watch has no end of its own: several go on beside each other.
    if (context.options.watch === true) await Promise.all(managements.map(order));
    // An update begins with the last, and goes on to the one before it when that was unsealed.
    else for (const [ordinal, management] of [...managements.entries()].reverse()) await order(management, ordinal);
    return EXIT.done;
  } finally {
    for (const management of managements) management.close();
  }
};

async function unsealDeployed(context: CommandContext, unsealing: Unsealing): Promise<ExitCode> {
  const { options } = context;
  if (options.watch === true) return watch(context, unsealing);
  if (options.dryRun === true) {
    const { version, findings } = await unsealing.check();
    if (findings.length > 0) throw startRefused(findings);
    const { sealed } = await healthOf(unsealing.management);
    show(context, { schema: "trustkern.keys-unseal/1", manifestVersion: version ?? null, wasSealed: sealed }, true);
    return EXIT.done;
  }
  show(context, await unsealChecked(unsealing));
  return EXIT.done;
}

/** Whoever runs the processes of the embedded engine has started them himself: there is no start to check. */
async function unsealEmbedded(context: CommandContext, management: CustodyManagement): Promise<ExitCode> {
  if (context.options.watch === true) throw dockerOnly("--watch");
  const { sealed: wasSealed } = await healthOf(management);
  const dryRun = context.options.dryRun === true;
  if (wasSealed && !dryRun) await unsealNow(management, actorOf(context.io));
  show(context, { schema: "trustkern.keys-unseal/1", manifestVersion: null, wasSealed }, dryRun);
  return EXIT.done;
}

async function watch(context: CommandContext, unsealing: Unsealing): Promise<ExitCode> {
  const say = talk(context);
  say("watching: unseals custody whenever it has started, until Ctrl-C or SIGTERM");
  await watchStarts(unsealing, {
    signal: context.io.cancelled,
    onUnsealed: (report) => show(context, report),
    onRefused: ({ code, message }) => say(`${code}: ${message}`),
    onAway: ({ code, message }) => say(`${code}: ${message}; looks again until it answers`),
  });
  return EXIT.done;
}

/** Longest wait for an update that is under way to take the pod away that would be unsealed, in milliseconds. */
const SETTLE_MS = 60_000;

/**
 * How what runs is held against what was deployed; undefined where somebody has started its processes himself. Pods that an update
 * takes away are left out, but for the one that would be unsealed: that one is waited for, and a watch looks again.
 */
function checkOf(
  { io, options }: CommandContext,
  { start, cluster }: CustodyHost,
  { signer, ordinal }: { readonly signer: string | undefined; readonly ordinal: number },
): Unsealing["check"] | undefined {
  if (cluster !== undefined) {
    const look = { replacing: true, unsealing: `custody-${ordinal}` };
    const limitMs = options.watch === true ? 0 : SETTLE_MS;
    return async () => ({
      version: undefined,
      findings: await onceSettled(() => clusterDifferences(cluster, look), { limitMs, signal: io.cancelled }),
    });
  }
  if (start === undefined) return undefined;
  const docker = createDockerCli(io.env);
  return () =>
    checkStart({ ...start, signer, docker: (args, call) => docker(args, { signal: io.cancelled, ...call }) });
}

function unsealingOf(
  context: CommandContext,
  { located, layout }: CustodyHost,
  management: CustodyManagement,
  check: Unsealing["check"],
): Unsealing {
  const { io } = context;
  return {
    deployment: located.deployment,
    layout,
    management,
    check,
    passphrase: passphraseAsked(context, located.deployment),
    actor: actorOf(io),
    clock: io.now,
  };
}

function printUnit({ io }: CommandContext, host: CustodyHost, signer: string | undefined): ExitCode {
  const { located, layout, start } = host;
  if (start === undefined || located.file === undefined) throw dockerOnly("--systemd");
  const pinned = pinnedStartKey(layout);
  if (signer === undefined && pinned === undefined) {
    const path = trustFiles(layout).signer;
    throw trustErrors.error("START_MANIFEST_MISSING", "no key has signed a start manifest yet", { path });
  }
  io.stdout(
    renderUnit({
      deployment: located.deployment.name,
      program: projectFiles.launcher,
      file: located.file,
      dir: layout.dir,
      runDir: layout.runDir,
      user: io.user(),
      signer: signer ?? (pinned === undefined ? "" : fingerprintOf(pinned)),
    }),
  );
  return EXIT.done;
}

/** @throws CLI_USAGE for a watch that would have to be asked, or to change nothing */
function assertAlone(context: CommandContext, { located }: CustodyHost): void {
  const { dryRun, systemd, watch: watches } = context.options;
  if (systemd !== true && watches !== true) return;
  const flag = watches === true ? "--watch" : "--systemd";
  if (dryRun === true) throw cliErrors.error("CLI_USAGE", `${flag} and --dry-run exclude each other`, { path: flag });
  if (!waitsForPerson(located.deployment)) return;
  throw cliErrors.error("CLI_USAGE", `${flag} cannot type the passphrase that custody waits for`, {
    path: flag,
    fix: "run `trustkern keys unseal` on a terminal after each start",
  });
}

/** What belongs to the start manifest of a host is not left out without a word. @throws DOCKER_ENGINE_ONLY */
function assertForCluster({ options }: CommandContext): void {
  const flag = options.signer !== undefined ? "--signer" : options.systemd === true ? "--systemd" : undefined;
  if (flag === undefined) return;
  const message = `${flag} is for the engine docker: what runs in a cluster is held against the deployment itself`;
  throw cliErrors.error("DOCKER_ENGINE_ONLY", message, { path: flag, fix: `leave ${flag} out` });
}

function signerOf({ options }: CommandContext): string | undefined {
  const { signer } = options;
  if (signer === undefined) return undefined;
  if (typeof signer === "string" && /^[0-9a-f]{64}$/.test(signer)) return signer;
  throw cliErrors.error("CLI_USAGE", "--signer is not 64 lower-case hex digits", {
    path: "--signer",
    fix: "take the fingerprint that `trustkern deploy` said when it signed the first start manifest",
  });
}

function dockerOnly(flag: string): Error {
  const message = `${flag} is for the engine docker: the embedded engine runs as long as \`trustkern up\``;
  return cliErrors.error("DOCKER_ENGINE_ONLY", message, { path: flag });
}

function show({ io, flags }: CommandContext, report: UnsealReport, dryRun = false): void {
  if (flags.json) {
    printJson(io, { ...report, dryRun });
    return;
  }
  const { manifestVersion, wasSealed } = report;
  const fits = manifestVersion === null ? "" : `; everything fits start manifest ${manifestVersion}`;
  const done = wasSealed
    ? dryRun
      ? "custody is sealed, and would be unsealed"
      : "custody is unsealed"
    : "custody was unsealed already";
  io.stdout(`${done}${fits}\n`);
}
