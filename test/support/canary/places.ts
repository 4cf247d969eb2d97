import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { type Ask, lokiAnswers, prometheusAnswers } from "../../../operations/verify/data/places/answers.ts";
import { containerLogs } from "../../../operations/verify/search/container-logs.ts";
import { filePlaces } from "../../../operations/verify/search/files.ts";
import type { Place } from "../../../operations/verify/search/place.ts";
import { dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { ask, docker, type Example } from "../docker.ts";

/** What the Docker Engine says of containers, what they wrote, their processes and their scratch. */
export async function* containerPlaces(names: readonly string[]): AsyncIterable<Place> {
  for (const name of names) {
    const [inspected] = JSON.parse(await dockerOutput(docker, ["container", "inspect", name])) as [Inspected];
    yield { name: `docker inspect of container ${name}`, content: JSON.stringify(inspected) };
    yield* containerLogs(docker, name);
    if (!inspected.State.Running) continue;
    const pids = (await dockerOutput(docker, ["top", name, "-eo", "pid"])).split("\n").slice(1).filter(Boolean);
    yield* pids.flatMap((pid) => processPlaces(pid.trim(), `of ${name}`));
    for (const scratch of Object.keys(inspected.HostConfig.Tmpfs ?? {})) {
      for await (const { name: file, content } of filePlaces(`/proc/${inspected.State.Pid}/root${scratch}`))
        yield { name: `scratch of ${name}: ${scratch}/${file}`, content };
    }
  }
}

/** What the Docker Engine says of networks. */
export async function* networkPlaces(label: string): AsyncIterable<Place> {
  const ids = (await dockerOutput(docker, ["network", "ls", "-q", "--filter", `label=${label}`])).split("\n");
  const inspected = await dockerOutput(docker, ["network", "inspect", ...ids.filter(Boolean)]);
  yield { name: "docker inspect of networks", content: inspected };
}

/** What the Docker Engine says of images, and every file of every layer. */
export async function* imagePlaces(images: readonly string[]): AsyncIterable<Place> {
  for (const image of images) {
    const inspect = await dockerOutput(docker, ["image", "inspect", image]);
    yield { name: `docker inspect of image ${image}`, content: inspect };
    const history = await dockerOutput(docker, ["history", "--no-trunc", image]);
    yield { name: `docker history of ${image}`, content: history };
  }
  const saved = start(["save", ...images]).stdout.pipe(extract());
  for await (const entry of saved) yield { name: `image layers: ${entry.header.name}`, content: Readable.from(entry) };
}

/** Arguments and environments of all that a process started, at this moment. */
export async function* childPlaces(pid: number): AsyncIterable<Place> {
  for (const task of listIfThere(`/proc/${pid}/task`)) {
    const children = readIfThere(`/proc/${pid}/task/${task}/children`)?.toString("utf8") ?? "";
    for (const child of children.split(" ").filter(Boolean)) {
      yield* processPlaces(child, `${child}, a child of ${pid}`);
      yield* childPlaces(Number(child));
    }
  }
}

/** What Loki took in the last hour, as it answers. */
export function lokiPlaces(example: Example): AsyncIterable<Place> {
  return lokiAnswers(askIn(example), Date.now() - 3_600_000);
}

/** What Prometheus keeps, as it answers. */
export function prometheusPlaces(example: Example): AsyncIterable<Place> {
  return prometheusAnswers(askIn(example));
}

function askIn(example: Example): Ask {
  const ports = { loki: 3100, prometheus: 9090 } as const;
  return (component, paths) =>
    Promise.all(
      paths.map(async (path) => JSON.stringify(await ask(example, component, ports[component], "prometheus", path))),
    );
}

interface Inspected {
  readonly State: { readonly Running: boolean; readonly Pid: number };
  readonly HostConfig: { readonly Tmpfs?: Readonly<Record<string, string>> };
}

function processPlaces(pid: string, whose: string): readonly Place[] {
  return (["cmdline", "environ"] as const).flatMap((what) => {
    const content = readIfThere(join("/proc", pid, what));
    return content === undefined ? [] : [{ name: `${what} of process ${whose}`, content }];
  });
}

function readIfThere(path: string): Buffer | undefined {
  return ifThere(() => readFileSync(path));
}

function listIfThere(path: string): readonly string[] {
  return ifThere(() => readdirSync(path)) ?? [];
}

/** Processes end, and Loki removes what it wrote elsewhere. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (["ENOENT", "ESRCH"].includes((thrown as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw thrown;
  }
}

function start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"] });
}
