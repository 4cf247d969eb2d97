import { z } from "zod";

const Resource = z.object({ addr: z.string() });
const Action = z.enum(["create", "update", "replace", "delete", "read", "noop", "move", "forget", "import", "remove"]);
const Hook = z.object({ resource: Resource, action: Action.optional(), elapsed_seconds: z.number().optional() });
const Diagnostic = z.object({
  severity: z.enum(["error", "warning"]),
  summary: z.string(),
  detail: z.string().default(""),
  address: z.string().optional(),
});

const Event = z.discriminatedUnion("type", [
  z.object({ type: z.enum(["apply_start", "apply_progress", "apply_complete", "apply_errored"]), hook: Hook }),
  z.object({ type: z.literal("planned_change"), change: z.object({ resource: Resource, action: Action }) }),
  z.object({ type: z.literal("diagnostic"), diagnostic: Diagnostic }),
]);

/** One line of the `-json` output that means something here. */
export type TerraformEvent = z.infer<typeof Event>;

/**
 * What the program says about something wrong. Its snippet of the configuration is left out: the stack is one long line.
 */
export type Diagnostic = z.infer<typeof Diagnostic>;

/** One line of `-json` output; undefined for what is no JSON (`init` prints such lines) or of a type unknown here. */
export function parseEvent(line: string): TerraformEvent | undefined {
  try {
    return Event.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/**
 * The JSON document in a program's output: OpenTofu prints warnings about the user's CLI configuration before it.
 * @throws SyntaxError where there is none
 */
export function jsonIn(output: string): unknown {
  return JSON.parse(output.slice(Math.max(0, output.search(/^\{/m))));
}
