import { inspectImage } from "../../operations/images/docker-images.ts";
import { type LockedImage, readImageLock } from "../../operations/images/lock-file.ts";
import { isAvailable, referenceOf, repositoryOf } from "../../operations/images/lock-images.ts";
import { pinned } from "../../operations/images/reference.ts";
import { judgeSignature } from "../../operations/images/signatures/judge.ts";
import { readSigningKey, type SigningKey } from "../../operations/images/signatures/signing-key.ts";
import { EXIT } from "../../shared/errors.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { imagesTarget } from "./images-context.ts";

const MIB = 1_048_576;

/** Whether the signature that the lock keeps holds for the image; not asked where the deployment names no signer. */
type Signature = "not asked" | "checked" | "not checked";

/** `images list`: the images of the deployment, what they are locked to, who signed them, and which of them this machine has. */
export const run: Run = async (context) => {
  const { io, flags } = context;
  const { names, images: origin, version, lockFile, engine } = await imagesTarget(context);
  const lock = lockFile === undefined ? undefined : readImageLock(lockFile);
  const signedBy = origin.signedBy === undefined ? undefined : readSigningKey(origin.signedBy);
  const docker = createDockerCli(io.env);
  const from = lock?.source ?? origin.source;
  // The nodes of a cluster pull theirs: what this machine has of them says nothing.
  const isPulledElsewhere = engine === "kubernetes" && from === "registry";
  const images = await Promise.all(
    names.map(async (name) => {
      const locked = lock?.images[name];
      const reference = locked?.reference ?? referenceOf(origin, name, version);
      const digest = locked?.digest ?? null;
      const exact = digest === null ? reference : from === "registry" ? pinned(reference, digest) : digest;
      const found = isPulledElsewhere ? undefined : await inspectImage(docker, exact);
      return {
        name,
        reference,
        digest,
        signature: signatureOf(locked, repositoryOf(origin, name), signedBy),
        available: isAvailable(from, name),
        present: isPulledElsewhere ? null : found !== undefined,
        sizeBytes: found?.sizeBytes ?? null,
      };
    }),
  );
  const signer = signedBy?.fingerprint ?? null;
  if (flags.json) printJson(io, { schema: "trustkern.images-list/1", source: from, signer, images });
  else {
    const longest = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));
    const widths = [longest(names), longest(images.map(({ reference }) => reference))] as const;
    for (const image of images) io.stdout(line(context, image, widths));
    if (signer !== null) io.stdout(signerLine(signer, images));
  }
  return EXIT.done;
};

function signatureOf(locked: LockedImage | undefined, repository: string, signedBy: SigningKey | undefined): Signature {
  if (signedBy === undefined) return "not asked";
  if (locked?.signature === undefined) return "not checked";
  const why = judgeSignature(locked.signature, { repository, digest: locked.digest }, signedBy);
  return why === undefined ? "checked" : "not checked";
}

interface Listed {
  readonly name: string;
  readonly reference: string;
  readonly digest: string | null;
  readonly signature: Signature;
  readonly available: boolean;
  /** Whether this machine has it; null where the nodes of a cluster pull it. */
  readonly present: boolean | null;
  readonly sizeBytes: number | null;
}

function line({ paint }: CommandContext, image: Listed, [first, second]: readonly [number, number]): string {
  const { name, reference, digest, signature, available, present, sizeBytes } = image;
  const size = sizeBytes === null ? "" : ` ${Math.round(sizeBytes / MIB)} MiB`;
  const missing = present === null ? "" : paint("yellow", available ? "absent " : "no source");
  const state = present === true ? paint("green", "present") : missing;
  const unsigned = signature === "not checked" ? ` ${paint("yellow", "signature not checked")}` : "";
  return `${`${name.padEnd(first)} ${reference.padEnd(second)} ${short(digest)}  ${state}${size}${unsigned}`.trimEnd()}\n`;
}

function signerLine(signer: string, images: readonly Listed[]): string {
  const checked = images.filter(({ signature }) => signature === "checked").length;
  return `${checked} of ${images.length} with a signature checked by the key ${signer}\n`;
}

function short(digest: string | null): string {
  return (digest?.slice(0, 19) ?? "not locked").padEnd(19);
}
