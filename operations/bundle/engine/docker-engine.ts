import type { Readable } from "node:stream";
import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import { STATE_LABEL, stateLabelOf } from "../../../stacks/docker/labels.ts";
import { type DockerCli, dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { siteErrors } from "../install/errors.ts";
import type { EngineImages, SiteEngine } from "./engine.ts";

const LOAD_LIMIT_MS = 3_600_000;
const STOP_LIMIT_MS = 600_000;

const inspected = z.array(
  z.object({
    Id: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    RootFS: z.object({ Layers: z.array(z.string()).nullish() }),
  }),
);

/** The Docker Engine that the docker client talks to. */
export function dockerEngine(docker: DockerCli): SiteEngine {
  const owned = (stateDir: string): readonly string[] => ["--filter", `label=${STATE_LABEL}=${stateLabelOf(stateDir)}`];
  const listed = async (args: readonly string[]): Promise<readonly string[]> =>
    (await dockerOutput(docker, args)).split("\n").filter((line) => line !== "");
  return {
    look: async () => {
      const [all] = await Promise.all([listed(["image", "ls", "--quiet", "--no-trunc"]), assertGraphDriver(docker)]);
      const ids = [...new Set(all)];
      return ids.length === 0 ? { images: new Map(), tags: new Map() } : inspectAll(docker, ids);
    },
    load: (archive, signal) => load(docker, archive, signal),
    tag: async (id, reference) => void (await dockerOutput(docker, ["image", "tag", id, reference])),
    untag: async (reference) => void (await docker(["image", "rm", reference])),
    stop: async (stateDir) => {
      const names = await listed(["ps", "--quiet", ...owned(stateDir)]);
      if (names.length === 0) return;
      await stopAll(docker, names);
    },
    remove: async (stateDir) => {
      const containers = await listed(["ps", "--all", "--quiet", ...owned(stateDir)]);
      if (containers.length > 0) {
        await stopAll(docker, containers);
        await dockerOutput(docker, ["rm", "--force", ...containers], { timeoutMs: STOP_LIMIT_MS });
      }
      const networks = await listed(["network", "ls", "--quiet", ...owned(stateDir)]);
      if (networks.length > 0) await dockerOutput(docker, ["network", "rm", ...networks]);
    },
  };
}

/** Each within the time that its deployment gave it: not all end by themselves, and every one may be killed at any time. */
async function stopAll(docker: DockerCli, containers: readonly string[]): Promise<void> {
  await dockerOutput(docker, ["stop", ...containers], { timeoutMs: STOP_LIMIT_MS });
}

/** An engine that keeps images with containerd knows them by other ids than their configurations, which nothing outside of it can foretell. */
async function assertGraphDriver(docker: DockerCli): Promise<void> {
  const said = await dockerOutput(docker, ["info", "--format", "{{json .DriverStatus}}"]);
  if (!said.includes("io.containerd.snapshotter")) return;
  throw siteErrors.error("BUNDLE_IMAGES_REFUSED", "the Docker Engine keeps its images in containerd's store", {
    fix: 'set "features": {"containerd-snapshotter": false} in /etc/docker/daemon.json and restart docker',
  });
}

async function inspectAll(docker: DockerCli, ids: readonly string[]): Promise<EngineImages> {
  // One that went away meanwhile is none that is there.
  const { stdout } = await docker(["image", "inspect", ...ids]);
  const found = inspected.parse(JSON.parse(stdout));
  return {
    images: new Map(found.map(({ Id, RootFS }) => [Id, RootFS.Layers ?? []])),
    tags: new Map(found.flatMap(({ Id, RepoTags }) => (RepoTags ?? []).map((tag) => [tag, Id] as const))),
  };
}

async function load(docker: DockerCli, archive: Readable, signal: AbortSignal): Promise<void> {
  const broken = new AbortController();
  // The client would wait for the rest of an archive that cannot be read to its end.
  archive.on("error", (thrown) => broken.abort(thrown));
  const answer = await docker(["image", "load", "--quiet"], {
    input: archive,
    signal: AbortSignal.any([signal, broken.signal]),
    timeoutMs: LOAD_LIMIT_MS,
  }).finally(() => archive.destroy());
  if (broken.signal.aborted) throw broken.signal.reason;
  if (signal.aborted) throw siteErrors.error("BUNDLE_SITE_CANCELLED", "cancelled while images were loaded");
  if (answer.code !== 0) {
    const said = messageOf(answer.stderr.trim().slice(-500));
    throw siteErrors.error("BUNDLE_IMAGES_REFUSED", `docker load: ${said}`);
  }
}
