import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

/** Most waivers that there may be, each on a line of its own. */
const MAX_WAIVERS = 10;

const text = z.string().trim().min(1);
const waiversSchema = z.array(
  z.strictObject({
    tool: z.enum(["kube-score", "checkov"]),
    check: text,
    says: text,
    reason: z.string().trim().min(20),
  }),
);

/** Something that a linter asks for and that is not done, with the reason. */
export type Waiver = z.infer<typeof waiversSchema>[number];

/** What a linter found in an object. */
export interface Open extends Pick<Waiver, "tool" | "check" | "says"> {
  readonly object: string;
}

/** The waivers of `waivers.yaml`, a line each. */
export function readWaivers(): readonly Waiver[] {
  const source = readFileSync(join(import.meta.dirname, "waivers.yaml"), "utf8");
  const lines = source.trimEnd().split("\n");
  const waivers = waiversSchema.parse(parse(source));
  if (lines.length > MAX_WAIVERS) throw new Error(`${lines.length} waivers; accepted: at most ${MAX_WAIVERS}`);
  if (lines.length !== waivers.length) throw new Error(`${waivers.length} waivers on ${lines.length} lines`);
  return waivers;
}

/** What is open and not waived, and the waivers that nothing needs. */
export function compare(
  open: readonly Open[],
  waivers: readonly Waiver[],
): { readonly beyond: readonly Open[]; readonly unused: readonly Waiver[] } {
  const key = ({ tool, check, says }: Open | Waiver): string => JSON.stringify([tool, check, says]);
  const [found, waived] = [new Set(open.map(key)), new Set(waivers.map(key))];
  return {
    beyond: open.filter((each) => !waived.has(key(each))),
    unused: waivers.filter((each) => !found.has(key(each))),
  };
}
