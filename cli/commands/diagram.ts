import type { Model } from "../../model/boundary.ts";
import type { Deployment } from "../../model/deployment.ts";
import { renderMermaid } from "../../model/diagram.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { renderSvg } from "../../operations/diagram/svg.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import { writeOutput } from "../files.ts";

const FORMATS: Readonly<Record<string, (model: Model, deployment: Deployment) => string | Promise<string>>> = {
  mermaid: renderMermaid,
  svg: renderSvg,
};

/** `diagram`: of the deployment, or of the one that `up` would start where there is no file. */
export const run: Run = async ({ io, flags, options }) => {
  const format = String(options.format ?? "mermaid");
  const render = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (render === undefined) {
    const accepted = Object.keys(FORMATS).join(", ");
    throw cliErrors.error("CLI_USAGE", `"${format}" is not a format; accepted: ${accepted}`, {
      path: "--format",
      fix: "trustkern diagram --format svg -o deployment.svg writes a picture that every browser shows",
    });
  }
  const { deployment } = await locateDeployment(io, flags);
  const diagram = await render(buildModel(deployment, referencePlacement(deployment)), deployment);
  if (flags.json) printJson(io, { schema: "trustkern.diagram/1", format, diagram });
  else writeOutput(io, typeof options.output === "string" ? options.output : undefined, diagram);
  return EXIT.done;
};
