import { resolve } from "node:path";
import type { Deployment } from "../model/deployment.ts";
import { dockerEngine } from "../operations/bundle/engine/docker-engine.ts";
import { bundledFile } from "../operations/bundle/format/file.ts";
import { type Bundle, openBundle } from "../operations/bundle/format/read.ts";
import { bringBundle, type SiteReport, takeBack } from "../operations/bundle/install/bring.ts";
import { childToolkit } from "../operations/bundle/install/child-toolkit.ts";
import { whatRuns } from "../operations/bundle/install/facts.ts";
import type { Wish } from "../operations/bundle/install/plan.ts";
import { type Site, siteOf } from "../operations/bundle/install/site.ts";
import { assertFit } from "../operations/bundle/preflight/preflight.ts";
import { runtimeIn } from "../operations/bundle/preflight/room.ts";
import { decideTrust, type TrustDecision } from "../operations/bundle/trust/decide.ts";
import { readSiteTrust, recordSeen } from "../operations/bundle/trust/site.ts";
import { thisMachine } from "../operations/doctor/this-machine.ts";
import { parseDeploymentYaml } from "../profiles/parse.ts";
import { EXIT, type ExitCode, TrustKernError } from "../shared/errors.ts";
import { runAsOf } from "../stacks/docker/life/options.ts";
import { createDockerCli } from "../stacks/host/docker-cli.ts";
import { bytesView } from "./bytes-view.ts";
import { type CommandContext, printJson } from "./command.ts";
import { namedSite } from "./named-site.ts";
import { projectFiles } from "./project-files.ts";
import { talk } from "./talk.ts";

/** Its files need not be written a second time. */
const ownToolkit = projectFiles.kind === "toolkit" ? projectFiles.root : undefined;

/** Brings the bundle that the command line names to its site, and says what became of it. */
export async function bringFile(context: CommandContext, wish: Wish): Promise<ExitCode> {
  const { io, options, args } = context;
  const bundle = await openBundle(resolve(io.cwd, args[0] ?? ""));
  const view = bytesView(context);
  try {
    const site = siteOf(namedSite(context, bundle.manifest.deployment));
    const decide = (): TrustDecision => {
      const { root, seen } = readSiteTrust(site.dir);
      return decideTrust({ ...bundle, siteRoot: root, seen, runs: whatRuns(site), now: io.now() });
    };
    let decision = decide();
    for (const { message } of decision.warnings) io.stderr(`warning: ${message}\n`);
    const { version } = decision.statement.predicate;
    const docker = createDockerCli(io.env);
    view.begin("verifying");
    const report = await bringBundle({
      ...asked(context, site),
      ...{ wish, bundle, platform: `${process.platform}-${process.arch}`, dryRun: options.dryRun === true },
      trusted: {
        version,
        manifest: decision.manifest,
        assertStill: () => {
          decision = decide();
        },
        record: () => recordSeen(site.dir, decision),
      },
      preflight: async (plan) => {
        view.stop();
        const { manifest } = bundle;
        const machine = thisMachine(io.env, io.cancelled);
        const runAs = runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
        const deployment = await deploymentIn(bundle, io.cancelled);
        const runtime = await runtimeIn(bundle, io.cancelled);
        const onWarning = (what: string): void => io.stderr(`warning: ${what}\n`);
        const fits = { site, plan, manifest, runtime, ownToolkit, deployment, machine, docker, runAs };
        await assertFit({ ...fits, now: io.now, onWarning });
      },
      onBytes: view.onBytes,
    });
    view.stop();
    return say(context, site, report);
  } finally {
    view.stop();
    await bundle.close();
  }
}

/** Takes the site back to the version before. */
export async function backToBefore(context: CommandContext): Promise<ExitCode> {
  const site = siteOf(namedSite(context, undefined));
  return say(context, site, await takeBack({ ...asked(context, site), dryRun: context.options.dryRun === true }));
}

function asked(context: CommandContext, site: Site) {
  const { io, options, flags } = context;
  const passed = (option: string, value: string | boolean | undefined): readonly string[] =>
    typeof value === "string" ? [option, value === "root-device" ? value : resolve(io.cwd, value)] : [];
  return {
    site,
    engine: dockerEngine(createDockerCli(io.env)),
    toolkit: childToolkit({
      env: io.env,
      claimFile: site.deployFile,
      flags: ["--progress", flags.progress, ...(flags.nonInteractive ? ["--non-interactive"] : [])],
      deploy: [...passed("--start-key", options.startKey), ...passed("--passphrase-file", options.passphraseFile)],
      onOutput: io.stderr,
    }),
    ownToolkit,
    signal: io.cancelled,
    clock: io.now,
    pid: process.pid,
    onProgress: talk(context),
  };
}

/** Undefined for a file that this toolkit cannot read: a newer one can, and will say what is wrong with it. */
async function deploymentIn(bundle: Bundle, signal: AbortSignal): Promise<Deployment | undefined> {
  const path = "deployment/trustkern.yaml";
  const text = Buffer.from(await bundledFile(bundle, path, signal)).toString("utf8");
  try {
    return parseDeploymentYaml(text, path);
  } catch (thrown) {
    if (thrown instanceof TrustKernError && thrown.code === "CONFIG_INVALID") return undefined;
    throw thrown;
  }
}

function say({ io, flags, paint }: CommandContext, site: Site, report: SiteReport): ExitCode {
  if (flags.json) {
    printJson(io, { ...report, site: site.dir });
    return EXIT.done;
  }
  const { version, from, steps, planned, kind } = report;
  const to = `version ${version} in ${site.dir}`;
  if (steps.length === 0) io.stdout(`${paint("green", `${to} is as it should be`)}; nothing was changed\n`);
  else if (planned) io.stdout(`${kind} to ${to}: ${steps.join(", ")}\n`);
  else
    io.stdout(`${paint("green", `${to} runs`)}${from === null || from === version ? "" : `; before it ran ${from}`}\n`);
  return EXIT.done;
}
