import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { EXIT } from "../../shared/errors.ts";
import { once, type Up, up } from "../../stacks/embedded/up.ts";
import { watch } from "../../stacks/embedded/watch.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import type { LocatedDeployment } from "../deployment-file.ts";
import { embeddedTarget } from "../embedded-target.ts";
import { readInput } from "../files.ts";
import type { Io } from "../io.ts";
import { cloneFiles } from "../project-files.ts";
import { talk } from "../talk.ts";
import { addresses, reportLines, stepLine, stepsLine, trafficLines } from "../up-view.ts";
import { wholeNumber } from "../whole-number.ts";

/** Messages that `up --once` sends beside those of the steps. */
const ONCE_MESSAGES = 100;

/** Their rate in messages per second, where none is named. */
const ONCE_RATE = 50;

/** `trustkern up`: the main job on the embedded engine, and the live proof. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const { deployment, dir } = await target(context);
  const fixture = typeof options.fixture === "string" ? await readFixture(io, options.fixture) : undefined;
  const stream = flags.json && options.once !== true;
  if (stream) printJson(io, { schema: "trustkern.up-stream/1" });
  const running = await up({
    deployment,
    dir,
    fixture,
    temporaryDir: tmpdir(),
    projectRoot: cloneFiles("up").root,
    execPath: process.execPath,
    clock: io.now,
    pid: process.pid,
    signal: io.cancelled,
    onProgress: talk(context),
    onStep: (step) => {
      if (stream) printJson(io, { kind: "step", ...step });
      else if (!flags.json) io.stdout(stepLine(step, paint));
    },
  });
  try {
    return options.once === true ? await sendOnce(context, running) : await stayUp(context, running);
  } finally {
    talk(context)("everything stops");
    await running.stop();
  }
};

async function readFixture(io: Io, file: string): Promise<{ file: string; text: string }> {
  return { file: resolve(io.cwd, file), text: Buffer.from(await readInput(io, file)).toString("utf8") };
}

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
  const report = await once(running, ONCE_MESSAGES, () => io.now().getTime(), io.cancelled);
  if (flags.json) printJson(io, report);
  else io.stdout(reportLines(report, paint));
  return report.steps.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}

/** A line per second until Ctrl-C. */
async function stayUp({ io, flags, paint }: CommandContext, running: Up): Promise<0 | 1> {
  if (!flags.json) io.stdout(stepsLine(running.steps, paint) + addresses(running, paint));
  const line = trafficLines();
  for await (const second of watch(running, io.cancelled, () => io.now().getTime())) {
    if (flags.json) printJson(io, { kind: "traffic", ...second });
    else io.stdout(line(second, io.now()));
  }
  return running.steps.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}
