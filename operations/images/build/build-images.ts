import { type DockerCli, dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { inspectImage } from "../docker-images.ts";
import { imagesErrors } from "../errors.ts";
import { KNOWN_IMAGES, localReference } from "../known-images.ts";
import { type BuiltImage, describeImage, IDENTITY_LABEL, imageArchive } from "./archive.ts";
import { type BuildContext, layersOf } from "./contents.ts";

const LOAD_LIMIT_MS = 600_000;

/** What {@link buildImages} is handed. */
export interface BuildRequest extends BuildContext {
  readonly docker: DockerCli;
}

/** What became of one image. */
export interface BuildOutcome {
  readonly name: string;
  readonly reference: string;
  /** `sha256:…` by which the Docker Engine knows it; undefined for an image that cannot be made here. */
  readonly id: string | undefined;
  readonly state: "built" | "unchanged" | "unavailable";
}

/**
 * Makes images from packages and from this project, and gives them to the Docker Engine as `trustkern/<name>:<version>`. An
 * image that the engine has already is left as it is. The same inputs make the same image.
 * @throws IMAGES_NAME_UNKNOWN, IMAGES_LOAD_FAILED, what `layersOf` and {@link DockerCli} throw
 */
export async function buildImages(
  request: BuildRequest,
  names: readonly string[],
  version: string,
): Promise<readonly BuildOutcome[]> {
  const { docker, onProgress } = request;
  // Before minutes of work that nobody could take.
  await dockerOutput(docker, ["version", "--format", "{{.Server.Version}}"]);
  const wanted: BuiltImage[] = [];
  for (const name of names) {
    const { contents, command } = knownImage(name);
    if (contents === undefined) continue;
    const layers = await layersOf(request, contents);
    wanted.push(describeImage({ name, reference: localReference(name, version), version, command, layers }));
  }
  const before = await Promise.all(wanted.map(({ reference }) => inspectImage(docker, reference)));
  const changed = wanted.filter(({ identity }, index) => before[index]?.labels[IDENTITY_LABEL] !== identity);
  if (changed.length > 0) {
    onProgress(`loading ${changed.map(({ name }) => name).join(", ")}`);
    await load(request, changed);
  }
  return Promise.all(
    names.map(async (name) => {
      const reference = localReference(name, version);
      if (knownImage(name).contents === undefined) return { name, reference, id: undefined, state: "unavailable" };
      const { id } = (await inspectImage(docker, reference)) ?? {};
      return { name, reference, id, state: changed.some((image) => image.name === name) ? "built" : "unchanged" };
    }),
  );
}

function knownImage(name: string): (typeof KNOWN_IMAGES)[string] {
  const known = KNOWN_IMAGES[name];
  if (known !== undefined) return known;
  throw imagesErrors.error(
    "IMAGES_NAME_UNKNOWN",
    `"${name}" is no image; accepted: ${Object.keys(KNOWN_IMAGES).join(", ")}`,
  );
}

async function load({ docker, signal }: BuildRequest, images: readonly BuiltImage[]): Promise<void> {
  const archive = imageArchive(images);
  const broken = new AbortController();
  // The client would wait for the rest of an archive that cannot be read to its end.
  archive.on("error", (thrown) => broken.abort(thrown));
  const { code, stderr } = await docker(["image", "load", "--quiet"], {
    input: archive,
    signal: AbortSignal.any([signal, broken.signal]),
    timeoutMs: LOAD_LIMIT_MS,
  });
  archive.destroy();
  if (signal.aborted) throw imagesErrors.error("IMAGES_CANCELLED", "cancelled while loading");
  if (broken.signal.aborted || code !== 0)
    throw imagesErrors.error(
      "IMAGES_LOAD_FAILED",
      `the engine did not take the archive: ${broken.signal.reason ?? stderr.trim().slice(-500)}`,
    );
}
