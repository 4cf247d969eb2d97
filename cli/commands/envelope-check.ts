import { type CheckedCase, checkVectors } from "../../protocol/vectors.ts";
import { parseVectors } from "../../protocol/vectors-file.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { readInput } from "../files.ts";
import type { Io } from "../io.ts";
import type { Paint } from "../paint.ts";

/** `envelope check`: each verdict beside the expected one; exit code 0 when there is no mismatch. */
export const run: Run = async ({ io, flags, args, paint }) => {
  const text = Buffer.from(await readInput(io, args[0] ?? "")).toString("utf8");
  const report = checkVectors(parseVectors(text));
  if (flags.json) printJson(io, report);
  else {
    printCases(io, paint, "single", report.single);
    printCases(io, paint, "sequence, gateway", report.sequence.gateway);
    printCases(io, paint, "sequence, collector", report.sequence.collector);
    const style = report.mismatches === 0 ? "green" : "red";
    io.stdout(`${paint(style, `${report.mismatches} mismatches`)}\n`);
  }
  return report.mismatches === 0 ? EXIT.done : EXIT.failed;
};

function printCases(io: Io, paint: Paint, title: string, cases: readonly CheckedCase[]): void {
  io.stdout(`${paint("bold", title)}\n`);
  for (const { name, expected, verdict, ok, differs } of cases) {
    const result = ok ? paint("green", "ok") : paint("red", "MISMATCH");
    const detail = ok ? verdict : `expected ${expected}, got ${verdict}${differs ? `, but ${differs} differs` : ""}`;
    io.stdout(`  ${result} ${name}: ${detail}\n`);
  }
}
