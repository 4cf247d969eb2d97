import { byDigest, type ImagePins } from "../../../stacks/docker/images.ts";
import type { DockerCli } from "../../../stacks/host/docker-cli.ts";
import { inspectImage } from "../../images/docker-images.ts";
import { PROBE_IMAGE } from "../../images/known-images.ts";
import { probeErrors } from "./errors.ts";

const PULL_MS = 300_000;

/**
 * What `docker run` calls the image that the lock names for probes. It belongs to no container, so where it comes from a registry
 * it is pulled here, by its digest.
 * @throws PROBE_FAILED when it is not to be had, and what {@link DockerCli} throws
 */
export async function probeImage(docker: DockerCli, { source, images }: ImagePins): Promise<string> {
  const pin = images[PROBE_IMAGE];
  if (pin === undefined) {
    const fix = "write the image lock anew with `trustkern images lock`, and deploy";
    throw probeErrors.error("PROBE_FAILED", "the image lock does not name the image probe", {
      path: "images.probe",
      fix,
    });
  }
  const { reference, digest } = pin;
  const name = digest === undefined ? reference : source === "registry" ? byDigest({ reference, digest }) : digest;
  if ((await inspectImage(docker, name)) !== undefined) return name;
  if (source === "registry") {
    const { code, stderr } = await docker(["pull", "--quiet", name], { timeoutMs: PULL_MS });
    if (code === 0) return name;
    const message = `cannot pull ${name}: ${stderr.trim().split("\n").at(-1)}`;
    throw probeErrors.error("PROBE_FAILED", message, { path: "images.probe" });
  }
  const fix = source === "bundle" ? "load it again from the bundle" : "make it with `trustkern images build`";
  const message = `the Docker Engine has no image probe (${reference}, ${name})`;
  throw probeErrors.error("PROBE_FAILED", message, { path: "images.probe", fix: `${fix}, and verify again` });
}
