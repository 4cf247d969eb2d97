import { styleText } from "node:util";
import type { GlobalFlags } from "./command.ts";
import type { Io } from "./io.ts";

/** Colours a text, or leaves it as it is. */
export type Paint = (style: "bold" | "dim" | "green" | "red" | "yellow", text: string) => string;

/** Colours for one stream: `--color`, then NO_COLOR and TERM=dumb, then whether it is a terminal. */
export function paintFor(io: Io, color: GlobalFlags["color"], stream: "stdout" | "stderr"): Paint {
  const dumb = Boolean(io.env.NO_COLOR) || io.env.TERM === "dumb";
  const on = color === "always" || (color === "auto" && !dumb && io.isTerminal[stream]);
  return (style, text) => (on ? styleText(style, text, { validateStream: false }) : text);
}
