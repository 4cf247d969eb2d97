import { EXIT } from "../../shared/errors.ts";
import { outlineAt, type Rotated, type RotationOutline, rotateAt } from "../../stacks/host/rotation/run-at.ts";
import { whoUsesOld } from "../../stacks/host/rotation/who.ts";
import { namedCeremony } from "../ceremony-options.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import type { Paint } from "../paint.ts";
import { talk } from "../talk.ts";
import { wholeNumber } from "../whole-number.ts";
import { certsSite, changing } from "./certs-context.ts";

/** `certs rotate [--what WHAT]`: replaces an authority, a leaf, the broker's pin or a token, or finishes what has begun. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const what = typeof options.what === "string" ? options.what : undefined;
  const site = await certsSite(context);
  if (options.status === true) return status(context, site);
  if (options.dryRun === true) {
    const outline = outlineAt(site, what);
    if (flags.json) printJson(io, { schema: "trustkern.rotation-outline/1", ...outline });
    else io.stdout(outlineText(outline, paint));
    return EXIT.done;
  }
  const limitSeconds = wholeNumber(options.limit, "--limit", 1, 86_400);
  const say = talk(context);
  const ceremony = namedCeremony(context);
  const done = await changing(context, site, () =>
    rotateAt(site, {
      what,
      ceremony,
      clock: io.now,
      signal: io.cancelled,
      limitSeconds,
      onPhase: (phase, says) => say(`${phase}: ${says}`),
    }),
  );
  if (flags.json) printJson(io, { schema: "trustkern.rotation-done/1", ...done });
  else io.stdout(`${paint("green", "rotated")} ${done.what}\n${farewell(done)}`);
  return EXIT.done;
};

/** A key on a device or a medium is its owner's to destroy. */
function farewell({ needlessKey }: Rotated): string {
  if (needlessKey === null) return "";
  return `the key before signs nothing any more; destroy it with its device's own tools: ${needlessKey}\n`;
}

async function status({ io, flags, paint }: CommandContext, site: Awaited<ReturnType<typeof certsSite>>): Promise<0> {
  const report = await whoUsesOld(site);
  if (flags.json) printJson(io, { schema: "trustkern.rotation-status/1", ...report });
  else {
    const head =
      report.rotation === null ? "no rotation has begun" : `${report.rotation.what} is at ${report.rotation.phase}`;
    const lines = report.components.map(({ name, anchors, certificates, pins }) =>
      [name.padEnd(16), word("anchors", anchors, paint), word("leaf", certificates, paint), word("pins", pins, paint)]
        .join("  ")
        .trimEnd(),
    );
    io.stdout(`${[head, ...lines].join("\n")}\n`);
  }
  return EXIT.done;
}

function word(what: string, state: string, paint: Paint): string {
  return state === "none" ? "" : `${what} ${paint(state === "current" ? "green" : "yellow", state)}`;
}

function outlineText({ what, phases, concerned }: RotationOutline, paint: Paint): string {
  const lines = phases.map(
    ({ phase, says, done }) => `${done ? paint("green", "done") : "    "} ${phase.padEnd(12)} ${says}`,
  );
  return `${[`rotation of ${paint("bold", what)}`, ...lines, `concerned: ${concerned.join(", ")}`].join("\n")}\n`;
}
