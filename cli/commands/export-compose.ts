import { resolve } from "node:path";
import { assertPins } from "../../operations/images/pins.ts";
import { EXIT } from "../../shared/errors.ts";
import { composeFile, composeYaml } from "../../stacks/docker/compose.ts";
import { renderDocker } from "../../stacks/docker/life/render.ts";
import { printJson, type Run } from "../command.ts";
import { dockerTarget } from "../docker-target.ts";
import { writeFolder } from "../files.ts";

/** Name that Docker Compose looks for. */
const FILE = "compose.yaml";

/** `export compose`: the deployment as one file for Docker Compose, without Docker, network or image lock. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { options: target } = await dockerTarget(context);
  assertPins(target.images);
  const { plan } = renderDocker(target);
  if (typeof options.output === "string") {
    const folder = resolve(io.cwd, options.output);
    writeFolder(folder, { [FILE]: composeYaml(plan) });
    if (flags.json) printJson(io, { schema: "trustkern.export/1", folder, files: [FILE] });
    else io.stderr(`${FILE} in ${folder}\n`);
  } else if (flags.json) printJson(io, { schema: "trustkern.export/1", compose: composeFile(plan) });
  else io.stdout(composeYaml(plan));
  return EXIT.done;
};
