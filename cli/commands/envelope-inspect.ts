import { type InspectReport, inspectEnvelope } from "../../protocol/inspect.ts";
import { keysOf } from "../../protocol/vectors.ts";
import { parseVectors } from "../../protocol/vectors-file.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { envelopeBytes } from "../envelope-bytes.ts";
import { readInput } from "../files.ts";
import type { Io } from "../io.ts";
import type { Paint } from "../paint.ts";

/** `envelope inspect`: exit code 0 when no check that could run fails. */
export const run: Run = async ({ io, flags, args, options, paint }) => {
  const bytes = envelopeBytes(await readInput(io, args[0] ?? ""));
  const keys = typeof options.vectors === "string" ? await keysFrom(io, options.vectors) : {};
  const report = inspectEnvelope(bytes, keys);
  if (flags.json) printJson(io, report);
  else printReport(io, paint, report);
  return isGood(report) ? EXIT.done : EXIT.failed;
};

function isGood({ verdict }: InspectReport): boolean {
  return verdict === "accepted" || verdict === null;
}

async function keysFrom(io: Io, file: string): Promise<ReturnType<typeof keysOf>> {
  return keysOf(parseVectors(Buffer.from(await readInput(io, file)).toString("utf8")));
}

function printReport(io: Io, paint: Paint, report: InspectReport): void {
  io.stdout(`${paint("bold", "envelope")} of ${report.size} bytes, SHA-256 ${report.digest}\n`);
  for (const { key, name, offset, length, value, meaning } of report.fields) {
    const text = String(value);
    const short = text.length > 40 ? `${text.slice(0, 37)}…` : text;
    const place = paint("dim", `byte ${offset}, ${length} long`);
    io.stdout(`  ${key} ${name.padEnd(10)} ${short.padEnd(40)} ${meaning} ${place}\n`);
  }
  const good = isGood(report);
  const where = report.offset === null ? "" : ` at byte ${report.offset}`;
  const why = report.reason === null ? "" : `: ${report.reason}`;
  io.stdout(`verdict ${paint(good ? "green" : "red", report.verdict ?? "none, so far")}${good ? "" : where + why}\n`);
  if (report.payload) io.stdout(`payload ${JSON.stringify(report.payload)}\n`);
  if (report.verdict === null) {
    io.stdout(`not checked, for want of a key: ${report.unchecked.join(", ")} (--vectors FILE gives them)\n`);
  }
}
