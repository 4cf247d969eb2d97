import { instance } from "@viz-js/viz";
import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { MEASURED_FONT, planGraph } from "./graph.ts";

/** As wide as the font that Graphviz measured with, or narrower. */
const SHOWN_FONTS = "DejaVu Sans Mono,Menlo,Consolas,Liberation Mono,monospace";

/** Zones, components and flows as an SVG document, laid out by Graphviz in WebAssembly: equal models give equal bytes. */
export async function renderSvg(model: Model, deployment: Deployment): Promise<string> {
  const viz = await instance();
  const { output, errors } = viz.render(planGraph(model, deployment), { format: "svg", engine: "dot" });
  // Graphviz draws something in place of what it did not understand, which would be a picture of another deployment.
  if (output === undefined || errors.length > 0) {
    throw new TypeError(`Graphviz does not take the graph: ${errors.map(({ message }) => message).join("; ")}`);
  }
  return output.replaceAll(`font-family="${MEASURED_FONT},monospace"`, `font-family="${SHOWN_FONTS}"`);
}
