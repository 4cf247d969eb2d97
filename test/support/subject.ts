import { dirname } from "node:path";
import { dockerTarget } from "../../cli/docker-target.ts";
import { processIo } from "../../cli/io.ts";
import type { DockerOptions } from "../../stacks/docker/life/options.ts";
import { type Rendered, renderDocker } from "../../stacks/docker/life/render.ts";
import type { Example } from "./docker.ts";

/** A deployed example, as the command line hands it to a layer of the verification. */
export async function subjectOf(
  example: Pick<Example, "file">,
  onProgress: (what: string) => void = () => undefined,
): Promise<DockerOptions & { readonly rendered: Rendered }> {
  const io = { ...processIo(new AbortController().signal), cwd: dirname(example.file) };
  const flags = {
    file: example.file,
    dir: undefined,
    json: true,
    yes: true,
    nonInteractive: true,
    progress: "quiet",
    color: "never",
  } as const;
  const { options } = await dockerTarget({ io, flags, options: {}, args: [], paint: (_, text) => text });
  return { ...options, rendered: renderDocker(options), onProgress };
}
