import { chmodSync } from "node:fs";
import { readImageLock, renderImageLock } from "../../operations/images/lock-file.ts";
import { lockImages } from "../../operations/images/lock-images.ts";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { EXIT, messageOf } from "../../shared/errors.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { talk } from "../talk.ts";
import { imagesTarget } from "./images-context.ts";

/** `images lock`: writes which bytes each image of the deployment is, beside `trustkern.yaml`. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { names, source, version, lockFile } = await imagesTarget(context);
  if (lockFile === undefined)
    throw cliErrors.error("CLI_NO_DEPLOYMENT", "a lock stands beside a trustkern.yaml, and there is none");
  const registry = typeof options.registry === "string" ? options.registry : undefined;
  if (registry !== undefined && source !== "registry")
    throw cliErrors.error("CLI_USAGE", "--registry is for deployments with images.source registry", {
      path: "--registry",
      fix: "leave it away, or set images.source to registry",
    });
  const request = { docker: createDockerCli(io.env), source, registry, env: io.env, signal: io.cancelled };
  // What --only does not name stays as it is locked.
  const kept = typeof options.only === "string" ? readImageLock(lockFile) : undefined;
  if (kept !== undefined && kept.source !== source)
    throw cliErrors.error("CLI_USAGE", `the lock is of source ${kept.source}, images.source is ${source}`, {
      path: "--only",
      fix: "lock all images: leave --only away",
    });
  const locked = await lockImages(request, names, version);
  const lock = { ...locked, images: { ...kept?.images, ...locked.images } };
  const text = renderImageLock(lock);
  const dryRun = options.dryRun === true;
  if (!dryRun) write(lockFile, text);
  for (const name of names.filter((name) => lock.images[name] === undefined))
    talk(context)(`${name} is left out of the lock: it cannot be made here and comes from a registry alone`);
  if (flags.json) printJson(io, { schema: "trustkern.images-lock/1", ...lock });
  else if (dryRun) io.stdout(text);
  else io.stdout(`${Object.keys(lock.images).length} images in ${lockFile}\n`);
  return EXIT.done;
};

function write(file: string, text: string): void {
  try {
    writeFileAtomic(file, text);
    // It is no secret: others read it from the repository that it is kept in.
    chmodSync(file, 0o644);
  } catch (cause) {
    throw cliErrors.error("CLI_OUTPUT", `cannot write "${file}": ${messageOf(cause)}`, { path: file, cause });
  }
}
