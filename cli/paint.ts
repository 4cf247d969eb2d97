import { styleText } from "node:util";
import type { Io } from "./io.ts";

/** What `--color` takes. */
export type ColorChoice = "auto" | "always" | "never";

/** Colours a text, or leaves it as it is. */
export type Paint = (style: "bold" | "dim" | "green" | "red" | "yellow", text: string) => string;

/** Colours for one stream: `--color`, then NO_COLOR and TERM=dumb, then whether it is a terminal. */
export function paintFor(io: Io, color: ColorChoice, stream: "stdout" | "stderr"): Paint {
  const dumb = Boolean(io.env.NO_COLOR) || io.env.TERM === "dumb";
  const on = color === "always" || (color === "auto" && !dumb && io.isTerminal[stream]);
  return (style, text) => (on ? styleText(style, text, { validateStream: false }) : text);
}
