import { type DockerCli, dockerErrors } from "../../../stacks/host/docker-cli.ts";
import type { Place } from "./place.ts";

/**
 * What a container wrote, as the engine keeps it.
 * @param since milliseconds since the Unix epoch of the first line. @default its start
 * @throws DOCKER_FAILED, and what {@link DockerCli} throws
 */
export async function* containerLogs(docker: DockerCli, name: string, since?: number): AsyncIterable<Place> {
  const from = since === undefined ? [] : ["--since", new Date(since).toISOString()];
  const answer = await docker(["logs", ...from, name]);
  if (answer.code !== 0) throw dockerErrors.error("DOCKER_FAILED", `docker logs: ${answer.stderr.trim().slice(-500)}`);
  yield { name: `docker logs of ${name}, stdout`, content: answer.bytes ?? answer.stdout };
  yield { name: `docker logs of ${name}, stderr`, content: answer.errorBytes ?? answer.stderr };
}
