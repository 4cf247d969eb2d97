import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { assertPins } from "../../operations/images/pins.ts";
import { EXIT } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { renderDocker } from "../../stacks/docker/life/render.ts";
import { STACK_FILE } from "../../stacks/docker/terraform/init.ts";
import { printJson, type Run } from "../command.ts";
import { dockerTarget } from "../docker-target.ts";
import { cliErrors } from "../errors.ts";
import { writeFolder } from "../files.ts";

/** `synth`: the Terraform JSON and every configuration file, without Docker, network or image lock. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { options: target } = await dockerTarget(context);
  assertPins(target.images);
  const { stack, model } = renderDocker(target);
  const files = {
    [STACK_FILE]: `${stableJson(stack, 2)}\n`,
    ...Object.fromEntries(
      model.components.flatMap(({ name, files: rendered }) =>
        rendered.map(
          ({ path, content }) => [join("config", name, path.split("/").slice(3).join("/")), content] as const,
        ),
      ),
    ),
  };
  if (typeof options.output === "string") {
    const folder = resolve(io.cwd, options.output);
    clearEarlier(folder);
    writeFolder(folder, files);
    if (flags.json) printJson(io, { schema: "trustkern.synth/1", folder, files: Object.keys(files).sort() });
    else io.stderr(`${Object.keys(files).length} files in ${folder}\n`);
  } else if (flags.json) printJson(io, { schema: "trustkern.synth/1", stack });
  else io.stdout(files[STACK_FILE] ?? "");
  return EXIT.done;
};

/**
 * Takes away what an earlier synth wrote, so that nothing of it is read as today's.
 * @throws CLI_FILE_EXISTS for a folder that holds something else
 */
function clearEarlier(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  if (!existsSync(join(folder, STACK_FILE))) {
    throw cliErrors.error("CLI_FILE_EXISTS", `"${folder}" holds something else than a synthesised stack`, {
      path: folder,
      fix: "name another folder with -o",
    });
  }
  rmSync(join(folder, "config"), { recursive: true, force: true });
}
