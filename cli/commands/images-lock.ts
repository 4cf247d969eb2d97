import { chmodSync } from "node:fs";
import type { Deployment } from "../../model/deployment.ts";
import { type ImageLock, readImageLock, renderImageLock } from "../../operations/images/lock-file.ts";
import { lockImages } from "../../operations/images/lock-images.ts";
import { readSigningKey } from "../../operations/images/signatures/signing-key.ts";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { EXIT, messageOf, type TrustKernError } from "../../shared/errors.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { talk } from "../talk.ts";
import { imagesTarget } from "./images-context.ts";

/** `images lock`: writes which bytes each image of the deployment is, beside `trustkern.yaml`. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { names, images: said, version, lockFile } = await imagesTarget(context);
  if (lockFile === undefined)
    throw cliErrors.error("CLI_NO_DEPLOYMENT", "a lock stands beside a trustkern.yaml, and there is none");
  const images = { ...said, mirror: mirrorOf(said, options.registry) };
  const signedBy = said.signedBy === undefined ? undefined : readSigningKey(said.signedBy);
  const request = { docker: createDockerCli(io.env), images, signedBy, env: io.env, signal: io.cancelled };
  // What --only does not name stays as it is locked.
  const kept = typeof options.only === "string" ? readImageLock(lockFile) : undefined;
  if (kept !== undefined) assertSameKind(kept, images.source, signedBy?.fingerprint);
  const locked = await lockImages(request, names, version);
  const lock = { ...locked, images: { ...kept?.images, ...locked.images } };
  const text = renderImageLock(lock);
  const dryRun = options.dryRun === true;
  if (!dryRun) write(lockFile, text);
  for (const name of names.filter((name) => lock.images[name] === undefined))
    talk(context)(`${name} is left out of the lock: it cannot be made here and comes from a registry alone`);
  if (flags.json) printJson(io, { schema: "trustkern.images-lock/1", ...lock });
  else if (dryRun) io.stdout(text);
  else io.stdout(`${Object.keys(lock.images).length} images in ${lockFile}${signedWords(lock)}\n`);
  return EXIT.done;
};

function signedWords({ signer }: ImageLock): string {
  return signer === undefined ? "" : `, signed by the key ${signer}`;
}

/** The mirror of the file, which `--registry` may name where the file names none. */
function mirrorOf({ source, mirror }: Deployment["images"], option: unknown): string | undefined {
  if (typeof option !== "string") return mirror;
  if (source !== "registry")
    throw usage("--registry", "--registry is for deployments with images.source registry", "leave it away");
  if (mirror !== undefined && mirror !== option)
    throw usage("--registry", `--registry ${option} contradicts images.mirror ${mirror}`, "leave one of the two away");
  return option;
}

/** A lock is of one source, and of one signer or none. */
function assertSameKind(kept: ImageLock, source: ImageLock["source"], signer: string | undefined): void {
  const again = "lock all images: leave --only away";
  if (kept.source !== source)
    throw usage("--only", `the lock is of source ${kept.source}, images.source is ${source}`, again);
  if (kept.signer !== signer)
    throw usage("--only", `the lock is signed by ${kept.signer ?? "nobody"}, and not by ${signer ?? "nobody"}`, again);
}

function usage(path: string, message: string, fix: string): TrustKernError {
  return cliErrors.error("CLI_USAGE", message, { path, fix });
}

function write(file: string, text: string): void {
  try {
    writeFileAtomic(file, text);
    // It is no secret: others read it from the repository that it is kept in.
    chmodSync(file, 0o644);
  } catch (cause) {
    throw cliErrors.error("CLI_OUTPUT", `cannot write "${file}": ${messageOf(cause)}`, { path: file, cause });
  }
}
