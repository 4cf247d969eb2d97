import { type DockerCli, dockerErrors } from "../../stacks/host/docker-cli.ts";

/** An image that the Docker Engine has. */
export interface PresentImage {
  /** `sha256:…` by which the engine knows it. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `repository@sha256:…` under which registries have it. */
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
}

/** As `docker image inspect` prints it (Docker Engine API, ImageInspect). */
interface Inspected {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Size?: number;
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null } | null;
}

/**
 * What the Docker Engine has under a reference, or undefined.
 * @throws DOCKER_MISSING, DOCKER_UNREACHABLE, DOCKER_FAILED
 */
export async function inspectImage(docker: DockerCli, reference: string): Promise<PresentImage | undefined> {
  const { code, stdout, stderr } = await docker(["image", "inspect", "--format", "{{json .}}", "--", reference]);
  if (code !== 0) {
    if (/no such image|does not exist|not found/i.test(stderr)) return undefined;
    throw dockerErrors.error("DOCKER_FAILED", `docker image inspect ${reference}: ${stderr.trim().slice(-300)}`);
  }
  const { Id, RepoDigests, Size, Config } = JSON.parse(stdout) as Inspected;
  return { id: Id, labels: Config?.Labels ?? {}, repoDigests: RepoDigests ?? [], sizeBytes: Size ?? 0 };
}
