import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Model } from "../../model/boundary.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { LOCK_FILE, readImageLock } from "../../operations/images/lock-file.ts";
import { pinsOf } from "../../operations/images/pins.ts";
import packageJson from "../../package.json" with { type: "json" };
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { driftOf } from "../../stacks/docker/life/drift.ts";
import { waitHealthy } from "../../stacks/docker/life/health.ts";
import { inspectContainers } from "../../stacks/docker/life/inspect.ts";
import { runAsOf } from "../../stacks/docker/life/options.ts";
import { prepareHost } from "../../stacks/docker/life/prepare.ts";
import { renderDocker } from "../../stacks/docker/life/render.ts";
import type { DockerPlan } from "../../stacks/docker/plan.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { makeLoopImages, removeAll, removeLoopImages, runInLoop } from "./docker-run.ts";

/** One round, in seconds. */
export interface DockerRound {
  /** `trustkern deploy --wait` in a folder that holds `trustkern.yaml` and `images.lock.yaml` alone. */
  readonly deploy: number;
  /** The same again at once: nothing changes. */
  readonly again: number;
  readonly destroy: number;
  /** The same networks and containers by the docker client, one command after the other, until all of them are as well. */
  readonly loop: number;
}

/** A copy of `examples/single-host`, with its images locked. */
export interface DockerBench {
  readonly containers: number;
  readonly networks: number;
  /** Deploys twice and destroys, then starts the same by the docker client and removes it; every time with empty volumes. */
  readonly round: () => Promise<DockerRound>;
  /** Removes whatever a round that failed has left. */
  readonly close: () => Promise<void>;
}

const run = promisify(execFile);
const GRACE_SECONDS = 60;

/** Prepares the folder for the rounds. */
export async function prepareDocker(folder: string, root: string): Promise<DockerBench> {
  const file = join(folder, "trustkern.yaml");
  copyFileSync(join(root, "examples", "single-host", "trustkern.yaml"), file);
  const main = [
    "--disable-warning=ExperimentalWarning",
    join(root, "cli", "main.ts"),
    "-f",
    file,
    "--progress",
    "quiet",
  ];
  const cli = (...args: readonly string[]) => timed(() => run(process.execPath, [...main, ...args]));
  await cli("images", "lock");

  const docker = createDockerCli(process.env);
  const deployment = parseDeploymentYaml(readFileSync(file, "utf8"), file);
  const images = pinsOf(
    deployment,
    buildModel(deployment, referencePlacement(deployment)),
    readImageLock(join(folder, LOCK_FILE)),
    packageJson.version,
  );
  const uid = process.getuid?.() ?? 0;
  const signal = new AbortController().signal;
  const options = {
    deployment,
    dir: join(folder, ".trustkern"),
    temporaryDir: tmpdir(),
    images,
    runAs: runAsOf(uid, process.getgid?.() ?? 0),
    mayChown: uid === 0,
    env: process.env,
    clock: () => new Date(),
    pid: process.pid,
    signal,
    docker,
    providerMirror: undefined,
    fallbackProgram: undefined,
    onProgress: () => undefined,
  };
  const rendered = renderDocker(options);
  const { layout, model, plan } = rendered;
  const forget = (): void => {
    for (const dir of [layout.dir, layout.runDir]) rmSync(dir, { recursive: true, force: true });
  };
  const loopImages = await makeLoopImages(docker, plan);
  const loop = async (): Promise<void> => {
    await runInLoop(docker, plan, loopImages);
    await waitHealthy({
      docker,
      layout,
      components: model.components,
      graceSeconds: GRACE_SECONDS,
      now: Date.now,
      signal,
      onWell: () => undefined,
    });
  };
  return {
    containers: plan.containers.length,
    networks: plan.networks.length,
    round: async () => {
      forget();
      const deploy = await cli("deploy", "--wait");
      const again = await cli("deploy", "--wait");
      const destroy = await cli("destroy", "--volumes", "--yes");
      forget();
      await prepareHost(options, rendered);
      const looped = await timed(loop);
      await assertSame(plan, model);
      await removeAll(docker, plan);
      return { deploy, again, destroy, loop: looped };
    },
    close: async () => {
      await removeAll(docker, plan);
      await removeLoopImages(docker, loopImages);
      forget();
    },
  };

  async function assertSame(expected: DockerPlan, { components }: Model): Promise<void> {
    const names = components.map(({ name }) => name);
    const found = await inspectContainers(docker, names);
    const differences = [...found].flatMap(([name, one]) =>
      driftOf(name, expected, one).flatMap((what) => (what.startsWith("image:") ? [] : [`${name}: ${what}`])),
    );
    if (found.size !== names.length || differences.length > 0)
      throw new Error(`the containers are not those of the stack: ${differences.join("; ")}`);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
