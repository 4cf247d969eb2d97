import { EXIT } from "../../shared/errors.ts";
import { changesOf } from "../../stacks/kubernetes/life/changes.ts";
import { deployCluster } from "../../stacks/kubernetes/life/deploy.ts";
import { changesText } from "../changes-view.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { passphraseAsked } from "../custody-passphrase.ts";
import { cliErrors } from "../errors.ts";
import { clusterOptions } from "../kubernetes-target.ts";
import { talk } from "../talk.ts";

/** Longest wait for pods where nobody says another, in seconds: images are pulled and volumes made in it. */
const WAIT_SECONDS = 600;

/** `deploy` on Kubernetes: looks at the cluster, applies, waits, and holds what runs against the plan. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  assertForCluster(context);
  const limitMs = secondsOf(options.timeout) * 1_000;
  const target = await clusterOptions(context);
  if (options.dryRun === true) {
    const changes = await changesOf(target);
    if (flags.json) printJson(io, changes);
    else io.stdout(changesText(changes, paint));
    return EXIT.done;
  }
  const say = talk(context);
  const report = await deployCluster({
    ...target,
    appliedElsewhere: options.appliedElsewhere === true,
    wait: options.wait === true,
    limitMs,
    passphrase: passphraseAsked(context, target.deployment),
    onChange: ({ action, kind, name }) => say(`${action} ${kind} ${name}`),
  });
  if (flags.json) printJson(io, report);
  else {
    const { length } = report.components;
    const what = report.healthy ? paint("green", `all ${length} components are well`) : `${length} components run`;
    io.stdout(`${what}; ${report.changed === 0 ? "nothing had to change" : `${report.changed} changes`}\n`);
    if (!report.healthy) io.stdout("trustkern status says how they are\n");
  }
  return EXIT.done;
};

/** What only the engine docker has is not left out without a word. @throws CLI_USAGE */
function assertForCluster({ args, options }: CommandContext): void {
  const said = [
    [args[0], "PLAN", "a plan of a cluster is not kept"],
    [
      options.startKey,
      "--start-key",
      "what runs in a cluster is held against the deployment itself, and no start manifest is signed",
    ],
    [options.passphraseFile, "--passphrase-file", "there is no start key whose passphrase it could have"],
  ] as const;
  for (const [value, path, why] of said) {
    if (value === undefined) continue;
    throw cliErrors.error("CLI_USAGE", `${path} is for the engine docker: ${why}`, { path, fix: "leave it out" });
  }
}

/** @throws CLI_USAGE */
function secondsOf(said: unknown): number {
  if (said === undefined) return WAIT_SECONDS;
  const seconds = typeof said === "string" && /^\d{1,5}$/.test(said) ? Number(said) : 0;
  if (seconds > 0) return seconds;
  const message = `--timeout is "${String(said)}"; accepted: seconds, 1 to 99999`;
  throw cliErrors.error("CLI_USAGE", message, { path: "--timeout" });
}
