import { setTimeout as sleep } from "node:timers/promises";
import { EXIT } from "../../shared/errors.ts";
import { isWell } from "../../stacks/docker/life/health.ts";
import { type StatusReport, statusDocker } from "../../stacks/docker/life/status.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { dockerTarget } from "../docker-target.ts";
import { isOnKubernetes } from "../engine-of.ts";
import { clusterOptions } from "../kubernetes-target.ts";
import type { Paint } from "../paint.ts";
import { exportStatus } from "./status-export.ts";

const WATCH_MS = 2_000;

/** `status [--watch] [--export FILE]`: how every component runs, and what was changed by hand. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  if (typeof options.export === "string") return exportStatus(context, options.export);
  const look = await lookOf(context);
  const show = (report: StatusReport): void => {
    if (flags.json) printJson(io, report);
    else io.stdout(statusText(report, paint));
  };
  let report = await look();
  if (options.watch === true && flags.json) printJson(io, { schema: "trustkern.status-stream/1" });
  show(report);
  while (options.watch === true && !io.cancelled.aborted) {
    await sleep(WATCH_MS, undefined, { signal: io.cancelled }).catch(() => undefined);
    if (io.cancelled.aborted) break;
    report = await look();
    show(report);
  }
  return report.ok ? EXIT.done : EXIT.failed;
};

async function lookOf(context: CommandContext): Promise<() => Promise<StatusReport>> {
  if (await isOnKubernetes(context)) {
    const { statusCluster } = await import("../../stacks/kubernetes/life/status.ts");
    const target = await clusterOptions(context);
    return () => statusCluster(target);
  }
  const { options: target } = await dockerTarget(context);
  return () => statusDocker(target);
}

function statusText(report: StatusReport, paint: Paint): string {
  const { deployment, tenant, profile, components, absent, ok } = report;
  const width = Math.max(9, ...components.map(({ name }) => name.length));
  const lines = components.map(({ name, zone, condition, image, startedAt, restarts }) => {
    const color = isWell(condition) ? "green" : condition === "starting" ? "yellow" : "red";
    const cells = [
      name.padEnd(width),
      paint(color, condition.padEnd(9)),
      zone.padEnd(10),
      (startedAt?.slice(0, 19).replace("T", " ") ?? "").padEnd(19),
      String(restarts).padStart(8),
      ` ${image}`,
    ];
    return cells.join("  ").trimEnd();
  });
  const head = ["component".padEnd(width), "condition", "zone      ", "started (UTC)      ", "restarts", " image"].join(
    "  ",
  );
  const changed = components.flatMap(({ name, drift: all }) => all.map((what) => `${name}: ${what}`));
  const drift = [...changed, ...(report.drift ?? [])].map((what) => paint("yellow", `! ${what}`));
  const left = [
    ...absent.map((name) => `${name} is left out: images.${name} is absent`),
    ...(report.elsewhere ?? []).map((name) => `${name} runs elsewhere`),
  ];
  const sum = ok ? paint("green", "all is well") : paint("red", "not all is well");
  const title = `${paint("bold", deployment)} (tenant ${tenant}, profile ${profile})`;
  return `${[title, paint("dim", head), ...lines, custodyLine(report.custody, paint), ...drift, ...left, sum].join("\n")}\n`;
}

function custodyLine({ sealed, custodyClass, kind, acceptSoftware }: StatusReport["custody"], paint: Paint): string {
  const accepted = acceptSoftware === null ? "" : `; software is accepted: ${acceptSoftware}`;
  if (sealed === null) return `decryption keys: ${kind}, and ${paint("red", "custody does not answer")}${accepted}`;
  if (sealed) return `decryption keys: ${kind}, ${paint("red", "SEALED")}: nothing is opened${accepted}`;
  return `decryption keys: ${kind}, ${custodyClass ?? "class unknown"}, ${paint("green", "unsealed")}${accepted}`;
}
