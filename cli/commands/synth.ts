import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Component } from "../../model/component.ts";
import { assertPins } from "../../operations/images/pins.ts";
import { EXIT } from "../../shared/errors.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { STATE_FILE } from "../../stacks/cdktf/stack.ts";
import { renderDocker } from "../../stacks/docker/life/render.ts";
import { STACK_FILE } from "../../stacks/docker/terraform/init.ts";
import type { SecretNames } from "../../stacks/kubernetes/plan.ts";
import { renderKubernetes } from "../../stacks/kubernetes/render.ts";
import { type Unsaid, unsaidOf } from "../../stacks/kubernetes/terraform/unsaid.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { dockerTarget } from "../docker-target.ts";
import { cliErrors } from "../errors.ts";
import { writeFolder } from "../files.ts";
import { kubernetesTarget } from "../kubernetes-target.ts";

/** `synth`: the Terraform JSON and every configuration file, without Docker, cluster, network or image lock. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { deployment } = await locateDeployment(io, flags);
  const { stack, components, ...more } = await (deployment.engine === "kubernetes" ? kubernetes : docker)(context);
  const files = {
    [STACK_FILE]: `${stableJson(stack, 2)}\n`,
    ...Object.fromEntries(
      components.flatMap(({ name, files: rendered }) =>
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
    if (flags.json) printJson(io, { schema: "trustkern.synth/1", folder, files: Object.keys(files).sort(), ...more });
    else io.stderr(`${Object.keys(files).length} files in ${folder}\n`);
  } else if (flags.json) printJson(io, { schema: "trustkern.synth/1", stack, ...more });
  else io.stdout(files[STACK_FILE] ?? "");
  return EXIT.done;
};

interface Synthesised {
  /** The Terraform JSON. */
  readonly stack: unknown;
  /** What the engine runs. */
  readonly components: readonly Component[];
}

async function docker(context: CommandContext): Promise<Synthesised> {
  const { options: target } = await dockerTarget(context);
  assertPins(target.images);
  const { stack, model } = renderDocker(target);
  return { stack, components: model.components };
}

/** With what is in no stack: Secrets by name, and what the provider has no word for. */
async function kubernetes(
  context: CommandContext,
): Promise<Synthesised & { readonly secrets: readonly SecretNames[]; readonly unsaid: readonly Unsaid[] }> {
  const target = await kubernetesTarget(context);
  const { plan } = renderKubernetes(target);
  // The bindings of the provider are large, and of use to this engine alone.
  const { synthJson } = await import("../../stacks/kubernetes/cdktf.ts");
  return {
    stack: synthJson(plan, { backend: target.deployment.state, localFile: STATE_FILE }),
    components: plan.pods.flatMap(({ components }) => components),
    secrets: plan.secrets,
    unsaid: unsaidOf(plan.objects),
  };
}

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
