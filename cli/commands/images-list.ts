import { inspectImage } from "../../operations/images/docker-images.ts";
import { readImageLock } from "../../operations/images/lock-file.ts";
import { isAvailable, referenceOf } from "../../operations/images/lock-images.ts";
import { pinned } from "../../operations/images/reference.ts";
import { EXIT } from "../../shared/errors.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { printJson, type Run } from "../command.ts";
import { imagesTarget } from "./images-context.ts";

const MIB = 1_048_576;

/** `images list`: the images of the deployment, what they are locked to, and which of them this machine has. */
export const run: Run = async (context) => {
  const { io, flags, paint } = context;
  const { names, source, version, lockFile } = await imagesTarget(context);
  const lock = lockFile === undefined ? undefined : readImageLock(lockFile);
  const docker = createDockerCli(io.env);
  const images = await Promise.all(
    names.map(async (name) => {
      const locked = lock?.images[name];
      const reference = locked?.reference ?? referenceOf({ source }, name, version);
      const from = lock?.source ?? source;
      const digest = locked?.digest ?? null;
      const exact = digest === null ? reference : from === "packages" ? digest : pinned(reference, digest);
      const present = await inspectImage(docker, exact);
      return {
        name,
        reference,
        digest,
        available: isAvailable(from, name),
        present: present !== undefined,
        sizeBytes: present?.sizeBytes ?? null,
      };
    }),
  );
  if (flags.json) printJson(io, { schema: "trustkern.images-list/1", source: lock?.source ?? source, images });
  else
    for (const { name, reference, digest, available, present, sizeBytes } of images) {
      const size = sizeBytes === null ? "" : `${Math.round(sizeBytes / MIB)} MiB`;
      const state = present ? paint("green", "present") : paint("yellow", available ? "absent " : "no source");
      io.stdout(`${name.padEnd(12)} ${reference.padEnd(44)} ${short(digest)}  ${state} ${size}`.trimEnd());
      io.stdout("\n");
    }
  return EXIT.done;
};

function short(digest: string | null): string {
  return (digest?.slice(0, 19) ?? "not locked").padEnd(19);
}
