import { LAYERS, type Layer } from "../operations/verify/checks.ts";
import { nearest } from "../profiles/nearest.ts";
import { cliErrors } from "./errors.ts";

/**
 * The layers that `--layers` names, separated by commas; undefined where it is not there.
 * @throws CLI_USAGE for a word that is no layer
 */
export function layersOption(value: string | boolean | undefined): readonly Layer[] | undefined {
  if (typeof value !== "string") return undefined;
  return value.split(",").map((word) => layerOf(word.trim()));
}

function layerOf(word: string): Layer {
  const layer = LAYERS.find((known) => known === word);
  if (layer !== undefined) return layer;
  const meant = nearest(word, LAYERS);
  throw cliErrors.error("CLI_USAGE", `"${word}" is not a layer; accepted: ${LAYERS.join(", ")}`, {
    path: "--layers",
    fix: meant && `did you mean ${meant}?`,
  });
}
