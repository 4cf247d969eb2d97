import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT } from "../../shared/errors.ts";
import { MANIFEST, manifestFiles, manifestStream } from "../../stacks/kubernetes/manifests.ts";
import { renderKubernetes } from "../../stacks/kubernetes/render.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { writeFolder } from "../files.ts";
import { kubernetesTarget } from "../kubernetes-target.ts";

/** `export kubernetes`: the deployment as plain manifests, an object in each, in the order of their names; without a cluster. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { objects, secrets } = renderKubernetes(await kubernetesTarget(context)).plan;
  if (typeof options.output === "string") {
    const folder = resolve(io.cwd, options.output);
    const files = manifestFiles({ objects });
    clearEarlier(folder);
    writeFolder(folder, files);
    if (flags.json) printJson(io, { schema: "trustkern.export/1", folder, files: Object.keys(files).sort(), secrets });
    else io.stderr(`${Object.keys(files).length} files in ${folder}\n`);
  } else if (flags.json) printJson(io, { schema: "trustkern.export/1", objects, secrets });
  else io.stdout(manifestStream({ objects }));
  return EXIT.done;
};

/**
 * Takes away what an earlier export wrote: an object that is no more would be applied again.
 * @throws CLI_FILE_EXISTS for a folder that holds something else
 */
function clearEarlier(folder: string): void {
  const there = existsSync(folder) ? readdirSync(folder) : [];
  const [stranger] = there.filter((name) => !MANIFEST.test(name));
  if (stranger !== undefined) {
    throw cliErrors.error("CLI_FILE_EXISTS", `"${folder}" holds something else than an export: "${stranger}"`, {
      path: folder,
      fix: "name another folder with -o",
    });
  }
  for (const name of there) rmSync(join(folder, name), { recursive: true });
}
