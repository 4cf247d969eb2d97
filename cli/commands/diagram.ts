import { renderMermaid } from "../../model/diagram.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import { writeOutput } from "../files.ts";

/** `diagram`: of the deployment, or of the one that `up` would start where there is no file. */
export const run: Run = async ({ io, flags, options }) => {
  const format = options.format ?? "mermaid";
  if (format !== "mermaid") {
    throw cliErrors.error("CLI_USAGE", `"${format}" is not a format of this version; accepted: mermaid`, {
      path: "--format",
      fix: "leave --format away; tools that show Mermaid make an svg of it",
    });
  }
  const { deployment } = await locateDeployment(io, flags);
  const model = buildModel(deployment, referencePlacement(deployment));
  const diagram = renderMermaid(model);
  if (flags.json) printJson(io, { schema: "trustkern.diagram/1", format, diagram });
  else writeOutput(io, typeof options.output === "string" ? options.output : undefined, diagram);
  return EXIT.done;
};
