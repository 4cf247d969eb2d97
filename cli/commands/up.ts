import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT } from "../../shared/errors.ts";
import { once, type Up, up } from "../../stacks/embedded/up.ts";
import { watch } from "../../stacks/embedded/watch.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import type { LocatedDeployment } from "../deployment-file.ts";
import { embeddedTarget } from "../embedded-target.ts";
import { addresses, stepLine, trafficLine, verdictLine } from "../up-view.ts";
import { wholeNumber } from "../whole-number.ts";

/** Messages that `up --once` sends beside those of the steps. */
const ONCE_MESSAGES = 100;

/** Their rate in messages per second, where none is named. */
const ONCE_RATE = 50;

/** `trustkern up`: the main job on the embedded engine, and the live proof. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const { deployment, dir } = await target(context);
  const fixtureFile = typeof options.fixture === "string" ? resolve(io.cwd, options.fixture) : undefined;
  const stream = flags.json && options.once !== true;
  if (stream) printJson(io, { schema: "trustkern.up-stream/1" });
  const running = await up({
    deployment,
    dir,
    fixtureFile,
    temporaryDir: tmpdir(),
    projectRoot: fileURLToPath(new URL("../../", import.meta.url)),
    execPath: process.execPath,
    clock: io.now,
    pid: process.pid,
    signal: io.cancelled,
    onProgress: (what) => (flags.progress === "quiet" ? undefined : io.stderr(`${paint("dim", `· ${what}`)}\n`)),
    onStep: (step) => {
      if (stream) printJson(io, { kind: "step", ...step });
      else if (!flags.json) io.stdout(stepLine(step, paint));
    },
  });
  try {
    return options.once === true ? await sendOnce(context, running) : await stayUp(context, running);
  } finally {
    if (!flags.json) io.stderr(`${paint("dim", "· everything stops")}\n`);
    await running.stop();
  }
};

async function target(context: CommandContext): Promise<LocatedDeployment> {
  const { options } = context;
  const { deployment, ...place } = await embeddedTarget(context);
  const { simulator } = deployment;
  const sensors = wholeNumber(options.sensors, "--sensors", 1, 1000) ?? Math.max(simulator.sensors, 1);
  const usualRate = options.once === true ? ONCE_RATE : simulator.ratePerSecond;
  const ratePerSecond = wholeNumber(options.rate, "--rate", 1, 10_000) ?? usualRate;
  return {
    deployment: { ...deployment, simulator: { sensors, ratePerSecond }, fixture: options.fixture !== undefined },
    ...place,
  };
}

async function sendOnce({ io, flags, paint }: CommandContext, running: Up): Promise<0 | 1> {
  const report = await once(running, ONCE_MESSAGES, () => io.now().getTime());
  if (flags.json) printJson(io, report);
  else io.stdout(verdictLine(report, paint));
  return report.steps.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}

/** A line per second until Ctrl-C. */
async function stayUp({ io, flags, paint }: CommandContext, running: Up): Promise<0 | 1> {
  if (!flags.json) io.stdout(addresses(running, paint));
  for await (const second of watch(running, io.cancelled, () => io.now().getTime())) {
    if (flags.json) printJson(io, { kind: "traffic", ...second });
    else io.stdout(trafficLine(second, io.now()));
  }
  return running.steps.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}
