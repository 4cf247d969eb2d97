import { homedir } from "node:os";
import { type BuildOutcome, buildImages } from "../../operations/images/build/build-images.ts";
import { imagesErrors } from "../../operations/images/errors.ts";
import { KNOWN_IMAGES, localReference } from "../../operations/images/known-images.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { EXIT } from "../../shared/errors.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { cloneFiles } from "../project-files.ts";
import { talk } from "../talk.ts";
import { imagesTarget } from "./images-context.ts";

/** `images build`: the images of the deployment, made on this machine from packages and from this project. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { names, version, images: origin } = await imagesTarget(context);
  if (origin.source === "bundle")
    throw imagesErrors.error("IMAGES_BUNDLED", "images.source is bundle: nothing is built here");
  if (options.dryRun === true) {
    const images = names.map((name) => ({ name, reference: localReference(name, version), from: sourceOf(name) }));
    if (flags.json) printJson(io, { schema: "trustkern.images-build/1", images });
    else for (const { name, reference, from } of images) io.stdout(`${name.padEnd(14)} ${reference}  from ${from}\n`);
    return EXIT.done;
  }
  const { root: projectDir, toolsDir } = cloneFiles("images build");
  const request = {
    docker: createDockerCli(io.env),
    cacheDir: defaultCacheDir(io.env, homedir()),
    projectDir,
    toolsDir,
    env: io.env,
    signal: io.cancelled,
    refresh: options.refresh === true,
    onProgress: talk(context),
  };
  const images = await buildImages(request, names, version);
  if (flags.json) printJson(io, { schema: "trustkern.images-build/1", images });
  else for (const image of images) io.stdout(line(context, image));
  return EXIT.done;
};

function line({ paint }: CommandContext, { name, reference, id, state }: BuildOutcome): string {
  if (id === undefined)
    return `${name.padEnd(14)} ${paint("yellow", "left out")}: it cannot be made here and comes from a registry alone\n`;
  return `${name.padEnd(14)} ${state.padEnd(9)} ${reference}  ${id.slice(0, 19)}\n`;
}

function sourceOf(name: string): string {
  const contents = KNOWN_IMAGES[name]?.contents;
  switch (contents?.kind) {
    case "service":
      return `services/${contents.service}`;
    case "packages":
      return `Debian packages ${contents.packages.join(", ")}`;
    case "tools":
      return `Go modules in tools/: ${Object.keys(contents.tools).join(", ")}`;
    default:
      return "nothing: it comes from a registry alone";
  }
}
