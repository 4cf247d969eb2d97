import { createHash, type Hash } from "node:crypto";
import {
  chmodSync,
  constants,
  copyFileSync,
  createWriteStream,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { eachEntry } from "../../images/build/tar-entries.ts";
import type { Bundle } from "../format/read.ts";
import { toolkitErrors } from "./errors.ts";
import { parseRuntime, type Runtime, TOOLKIT, TOOLKIT_FOLDER } from "./layout.ts";
import { toolkitPath } from "./toolkit-file.ts";

type ManifestFile = Bundle["manifest"]["files"][number];

/** Largest `runtime.json` that is read. */
const MAX_RUNTIME_BYTES = 65_536;

/**
 * Unpacks the toolkit of a bundle into a folder that is not there or empty: `<to>/trustkern` then runs. Its manifest has to be
 * trusted before; every blob is compared with its digest.
 * @throws TOOLKIT_MALFORMED, TOOLKIT_UNWRITABLE, and what reading blobs throws
 */
export async function unpackToolkit(
  bundle: Bundle,
  to: string,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const files = bundle.manifest.files.filter(({ path }) => path.startsWith(`${TOOLKIT_FOLDER}/`));
  const runtime = await runtimeIn(bundle, files, options);
  const takes = new Map(runtime.layers.map(({ digest, take }) => [digest, take]));
  const byDigest = Map.groupBy(files, ({ digest }) => digest);
  try {
    if (existsSync(to) && readdirSync(to).length > 0)
      throw toolkitErrors.error("TOOLKIT_UNWRITABLE", `"${to}" has something in it`, { path: to });
    mkdirSync(to, { recursive: true });
    for await (const { digest, content } of bundle.blobs(new Set([...byDigest.keys(), ...takes.keys()]), options)) {
      const take = takes.get(digest);
      if (take === undefined) await writeFiles(to, byDigest.get(digest) ?? [], content);
      else await takeFrom(to, take, content);
    }
  } catch (thrown) {
    if (thrown instanceof TrustKernError) throw thrown;
    throw toolkitErrors.error("TOOLKIT_UNWRITABLE", `cannot write ${to}: ${messageOf(thrown)}`, {
      path: to,
      cause: thrown,
    });
  }
}

async function runtimeIn(
  bundle: Bundle,
  files: readonly ManifestFile[],
  options: { readonly signal: AbortSignal },
): Promise<Runtime> {
  const file = files.find(({ path }) => path === toolkitPath(TOOLKIT.runtime));
  const bytes = bundle.manifest.blobs.find(({ digest }) => digest === file?.digest)?.bytes ?? 0;
  if (file === undefined || bytes > MAX_RUNTIME_BYTES)
    throw toolkitErrors.error("TOOLKIT_MALFORMED", `the bundle has no ${toolkitPath(TOOLKIT.runtime)} of a usual size`);
  for await (const { content } of bundle.blobs(new Set([file.digest]), options))
    return parseRuntime(await buffer(content));
  throw toolkitErrors.error("TOOLKIT_MALFORMED", `the bundle has no bytes of ${file.path}`);
}

/** The same bytes under further names are links to the first. */
async function writeFiles(to: string, files: readonly ManifestFile[], content: Readable): Promise<void> {
  const [first, ...others] = files.map(({ path, executable }) => ({
    place: join(to, path.slice(TOOLKIT_FOLDER.length + 1)),
    executable,
  }));
  if (first === undefined) return;
  await write(first.place, content, first.executable);
  for (const { place, executable } of others) {
    mkdirSync(dirname(place), { recursive: true });
    if (executable === first.executable) linkSync(first.place, place);
    else copyFileSync(first.place, place, constants.COPYFILE_EXCL);
    chmodSync(place, modeOf(executable));
  }
}

/** Takes files out of the layer of an image. @throws TOOLKIT_MALFORMED when it lacks one or has another, and what the file system throws */
export async function takeFrom(to: string, take: Runtime["layers"][number]["take"], content: Readable): Promise<void> {
  const wanted = new Map(take.map((one) => [one.from, one]));
  await eachEntry(content, async (entry) => {
    const one = wanted.get(entry.header.name);
    if (one === undefined || entry.header.type !== "file") return;
    wanted.delete(one.from);
    const hash = createHash("sha256");
    await write(join(to, one.to), hashed(entry as AsyncIterable<Buffer>, hash), one.executable);
    if (`sha256:${hash.digest("hex")}` === one.digest) return;
    throw toolkitErrors.error("TOOLKIT_MALFORMED", `${one.from} of a layer is not ${one.digest}`);
  });
  if (wanted.size > 0)
    throw toolkitErrors.error("TOOLKIT_MALFORMED", `a layer has no ${[...wanted.keys()].join(", ")}`);
}

async function* hashed(content: AsyncIterable<Buffer>, hash: Hash): AsyncIterable<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

async function write(place: string, content: AsyncIterable<unknown>, executable: boolean): Promise<void> {
  mkdirSync(dirname(place), { recursive: true });
  await pipeline(content, createWriteStream(place, { flags: "wx", flush: true }));
  // Whatever the umask: who runs it is not who unpacked it.
  chmodSync(place, modeOf(executable));
}

function modeOf(executable: boolean): number {
  return executable ? 0o755 : 0o644;
}
