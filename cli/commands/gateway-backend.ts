import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { type CommandContext, printJson } from "../command.ts";
import { certsSite } from "./certs-context.ts";

/** One line of a table: every value by the name of its column. */
export type Row = Readonly<Record<string, string | number | null>>;

/**
 * Asks the backend of the deployment as an operator.
 * @throws NOT_DEPLOYED, SERVICE_FAILED, and what the backend refuses with
 */
export async function askBackend<T>(context: CommandContext, ...call: Parameters<OperatorClient>): Promise<T> {
  const operator = await (await certsSite(context)).operator();
  return (await operator(...call)) as T;
}

/** Prints rows as a table, or as one JSON document `{schema, [member]: rows}`. */
export function printRows(
  { io, flags, paint }: CommandContext,
  {
    schema,
    member,
    columns,
    rows,
  }: {
    readonly schema: string;
    readonly member: string;
    readonly columns: readonly string[];
    readonly rows: readonly Row[];
  },
): void {
  if (flags.json) {
    printJson(io, { schema, [member]: rows });
    return;
  }
  const cellsOf = (row: Row): string[] => columns.map((column) => String(row[column] ?? "-"));
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => cellsOf(row)[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  io.stdout(`${paint("dim", line(columns))}\n`);
  for (const row of rows) io.stdout(`${line(cellsOf(row))}\n`);
}

/** Prints what one change came to: a line in words, or the backend's own answer as JSON. */
export function printChange({ io, flags }: CommandContext, schema: string, answer: object, words: string): void {
  if (flags.json) printJson(io, { schema, ...answer });
  else io.stdout(`${words}\n`);
}
