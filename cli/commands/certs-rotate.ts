import { tmpdir } from "node:os";
import { EXIT } from "../../shared/errors.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { abandonAt, begunAt } from "../../stacks/host/rotation/abandon-at.ts";
import { concernedElsewhere } from "../../stacks/host/rotation/gateways-elsewhere.ts";
import { idleSite, mendsNamespace } from "../../stacks/host/rotation/idle-site.ts";
import { outlineAt, type Rotated, type RotationOutline, rotateAt } from "../../stacks/host/rotation/run-at.ts";
import { whoUsesOld } from "../../stacks/host/rotation/who.ts";
import { namedCeremony } from "../ceremony-options.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import type { Paint } from "../paint.ts";
import { talk } from "../talk.ts";
import { actorOf } from "../user.ts";
import { wholeNumber } from "../whole-number.ts";
import { certsSite, changing } from "./certs-context.ts";

/** `certs rotate [--what WHAT]`: replaces an authority, a leaf, the broker's pin or a token, or finishes what has begun. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const what = typeof options.what === "string" ? options.what : undefined;
  const site = await siteToRotate(context, what);
  if (options.status === true) return status(context, site);
  if (options.abandon === true) return abandon(context, site);
  if (options.dryRun === true) {
    const here = outlineAt(site, what);
    const outline = { ...here, concerned: [...here.concerned, ...(await concernedElsewhere(site, here.what))] };
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
      onWaiting: waitingFor(say),
    }),
  );
  if (flags.json) printJson(io, { schema: "trustkern.rotation-done/1", ...done });
  else io.stdout(`${paint("green", "rotated")} ${done.what}\n${farewell(done)}`);
  return EXIT.done;
};

/** Authorities that were made for another namespace or engine are replaced where nothing can be deployed with them. */
async function siteToRotate(context: CommandContext, what: string | undefined): Promise<CertsSite> {
  const { io, flags } = context;
  const { deployment, dir } = await locateDeployment(io, flags);
  const idle = { layout: layoutOf(dir, tmpdir()), deployment, clock: io.now, actor: actorOf(io) };
  if (!mendsNamespace(idle, what)) return certsSite(context);
  talk(context)(
    "the authority of services was made for another namespace or engine: nobody here has it in use, or is asked",
  );
  return idleSite(idle);
}

async function abandon(context: CommandContext, site: CertsSite): Promise<0> {
  const { io, flags, options, paint } = context;
  if (options.what !== undefined) {
    throw cliErrors.error("CLI_USAGE", "--abandon gives up the rotation that has begun, and takes no --what", {
      path: "--what",
    });
  }
  const limitSeconds = wholeNumber(options.limit, "--limit", 1, 86_400);
  await confirm(context, `give up the rotation of ${begunAt(site)}: what it made is taken out again, and revoked`);
  const run = {
    clock: io.now,
    signal: io.cancelled,
    limitSeconds,
    user: io.user(),
    onWaiting: waitingFor(talk(context)),
  };
  const what = await changing(context, site, () => abandonAt(site, run));
  if (flags.json) printJson(io, { schema: "trustkern.rotation-abandoned/1", what });
  else io.stdout(`${paint("green", "given up")} ${what}: the old is in use as before\n`);
  return EXIT.done;
}

function waitingFor(say: (what: string) => void): (names: readonly string[], seconds: number) => void {
  return (names, seconds) => say(`waiting for ${names.join(", ")}, ${seconds} s`);
}

/** A key on a device or a medium is its owner's to destroy. */
function farewell({ needlessKey }: Rotated): string {
  if (needlessKey === null) return "";
  return `the key before signs nothing any more; destroy it with its device's own tools: ${needlessKey}\n`;
}

async function status({ io, flags, paint }: CommandContext, site: CertsSite): Promise<0> {
  const report = await whoUsesOld(site);
  if (flags.json) printJson(io, { schema: "trustkern.rotation-status/1", ...report });
  else {
    const head =
      report.rotation === null ? "no rotation is under way" : `${report.rotation.what} is at ${report.rotation.phase}`;
    // The database and custody have nothing that a rotation replaces.
    const concerned = report.components.filter(({ name: _, ...uses }) =>
      Object.values(uses).some((use) => use !== "none"),
    );
    const lines = concerned.map(({ name, anchors, issuer, certificates, pins }) =>
      [
        name.padEnd(16),
        word("anchors", anchors, paint),
        word("issues as", issuer, paint),
        word("leaf", certificates, paint),
        word("pins", pins, paint),
      ]
        .join("  ")
        .trimEnd(),
    );
    io.stdout(`${[head, ...lines].join("\n")}\n`);
  }
  return EXIT.done;
}

function word(what: string, state: string, paint: Paint): string {
  return state === "none" ? "" : `${what} ${paint(state === "current" || state === "new" ? "green" : "yellow", state)}`;
}

function outlineText({ what, phases, concerned }: RotationOutline, paint: Paint): string {
  const lines = phases.map(
    ({ phase, says, done }) => `${done ? paint("green", "done") : "    "} ${phase.padEnd(12)} ${says}`,
  );
  return `${[`rotation of ${paint("bold", what)}`, ...lines, `concerned: ${concerned.join(", ")}`].join("\n")}\n`;
}
