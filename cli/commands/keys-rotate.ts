import { parseDuration } from "../../shared/durations.ts";
import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { renderSensors } from "../../stacks/host/generations/destroy.ts";
import { type DueOutcome, doWhatIsDue } from "../../stacks/host/generations/due.ts";
import { readKeyJournal } from "../../stacks/host/generations/journal.ts";
import { outlineRotation } from "../../stacks/host/generations/outline.ts";
import type { GenerationsPlace } from "../../stacks/host/generations/place.ts";
import {
  type KeyProof,
  type KeyRotationOutcome,
  type KeyRotationRun,
  rotateGenerations,
} from "../../stacks/host/generations/rotate.ts";
import { overlapOf } from "../../stacks/host/generations/schedule.ts";
import { type GenerationsSite, openGenerations } from "../../stacks/host/generations/site.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { cliErrors } from "../errors.ts";
import { talk } from "../talk.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

const DEFAULT_WAIT = "2m";

/** `keys rotate`: the next generation becomes the active one, once every sensor that is heard uses it. */
export const run: Run = async (context) => {
  const { options } = context;
  const site = await generationsSite(context);
  const rotation = runOf(context, site);
  if (options.dryRun === true) {
    using generations = openGenerations(site);
    return await outline(context, generations.place, rotation.overlapSeconds);
  }
  if (options.due === true) {
    const done = await changingKeys(site, ({ place }) => doWhatIsDue(place, { ...rotation, waitSeconds: 0 }));
    return reportDue(context, done);
  }
  {
    using generations = openGenerations(site);
    const { place } = generations;
    // Asked before anything is locked: whoever has to declare a compromise does not wait for an answer.
    if (readKeyJournal(place.journalFile) === undefined) await confirmNew(context, place);
  }
  const outcome = await changingKeys(site, ({ place }, rest) =>
    rotateGenerations(place, {
      ...rotation,
      rest: (ms) => rest(ms, rotation.signal),
      onDone: (done) => report(context, done),
    }),
  );
  if (!outcome.done) report(context, outcome);
  return outcome.done ? EXIT.done : EXIT.timeout;
};

function report(context: CommandContext, outcome: KeyRotationOutcome): void {
  if (context.flags.json) printJson(context.io, { schema: "trustkern.keys-rotation/1", ...outcome });
  else context.io.stdout(rotationText(context, outcome));
}

function runOf(context: CommandContext, { deployment }: GenerationsSite): KeyRotationRun {
  const { io, options } = context;
  if (options.due === true && (options.wait !== undefined || options.overlap !== undefined))
    throw cliErrors.error(
      "CLI_USAGE",
      "--due goes by the schedule and waits for nobody, so it takes no --wait and no --overlap",
      {
        path: "--due",
      },
    );
  const overlap = typeof options.overlap === "string" ? parseDuration(options.overlap, "--overlap") : undefined;
  const wait = typeof options.wait === "string" ? options.wait : DEFAULT_WAIT;
  const say = talk(context);
  return {
    overlapSeconds: overlapOf(deployment, overlap),
    waitSeconds: parseDuration(wait, "--wait"),
    signal: io.cancelled,
    onPhase: (phase, says) => say(`${phase}: ${says}`),
    onWaiting: (proof) => say(waitingText(proof)),
  };
}

async function confirmNew(context: CommandContext, { custody }: GenerationsPlace): Promise<void> {
  const active = (await custody.list()).find(({ state }) => state === "active");
  await confirm(
    context,
    `Generation ${active?.keyId ?? "unknown"}, active since ${active?.activatedAt ?? "unknown"}, is followed by another one: every sensor gets an update.`,
  );
}

async function outline(
  { io, flags, options, paint }: CommandContext,
  place: GenerationsPlace,
  overlapSeconds?: number,
): Promise<ExitCode> {
  const planned = await outlineRotation(place, { due: options.due === true, overlapSeconds });
  if (flags.json) {
    printJson(io, { schema: "trustkern.keys-rotation-outline/1", ...planned });
    return EXIT.done;
  }
  const { keyId, origin, phases, overlapEndsAt, sensors, schedule } = planned;
  if (sensors !== null) {
    const to = keyId === null ? "to a generation that is made then" : `to ${keyId} (${origin ?? "unknown origin"})`;
    const using = `${sensors.following} of ${sensors.all} sensors use it`;
    io.stdout(`${to}; ${using}; the overlap ends at ${overlapEndsAt ?? "unknown"}\n`);
  }
  for (const { phase, says, done } of phases)
    io.stdout(`${done ? paint("green", "done") : "    "} ${phase.padEnd(10)} ${says}\n`);
  if (sensors === null && !schedule.some(({ due }) => due)) io.stdout("nothing is due\n");
  for (const step of schedule) io.stdout(`${step.what} ${step.keyId}: ${step.due ? "due since" : "on"} ${step.at}\n`);
  return EXIT.done;
}

function reportDue({ io, flags, paint }: CommandContext, done: DueOutcome): ExitCode {
  const { rotation, destroyed, kept } = done;
  if (flags.json) printJson(io, { schema: "trustkern.keys-due/1", ...done });
  else {
    if (rotation !== null) io.stdout(rotationText({ paint }, rotation));
    for (const keyId of destroyed) io.stdout(`${paint("green", "destroyed")} ${keyId}\n`);
    for (const { why } of kept) io.stdout(`${paint("yellow", "kept")} ${why}\n`);
    if (rotation === null && destroyed.length + kept.length === 0) io.stdout("nothing is due\n");
  }
  // A timer's run fails where a person has to look: not while an overlap goes by.
  const isLate = rotation !== null && !rotation.done && rotation.overlapIsOver;
  return isLate || kept.length > 0 ? EXIT.timeout : EXIT.done;
}

function rotationText({ paint }: Pick<CommandContext, "paint">, outcome: KeyRotationOutcome): string {
  const { done, keyId, following, silent } = outcome;
  const head = done
    ? `${paint("green", "rotated")}: ${keyId} is active, and ${following.length} sensors use it`
    : `${paint("yellow", "not done")}: ${waitingText(outcome)}; run trustkern keys rotate again, it goes on`;
  const quiet = silent.length === 0 ? [] : [`not heard for as long as the overlap: ${renderSensors(silent)}`];
  return `${[head, ...quiet].join("\n")}\n`;
}

function waitingText({ keyId, overlapIsOver, overlapEndsAt, behind, following }: KeyProof): string {
  const overlap = overlapIsOver ? [] : [`the overlap ends at ${overlapEndsAt}`];
  const others = behind.length === 0 ? [] : [`${behind.length} sensors use another key: ${renderSensors(behind)}`];
  return [`${following.length} sensors use ${keyId}`, ...overlap, ...others].join("; ");
}
