import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import type { Place } from "../../../operations/verify/search/search.ts";
import { dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { ask, docker, type Example } from "../docker.ts";
import { filesBelow } from "./secrets.ts";

/** Most lines that Loki gives in one answer. */
const LOKI_LINES = 5_000;

/** The files below a folder, by their paths in it. */
export async function* filePlaces(folder: string): AsyncIterable<Place> {
  for (const path of filesBelow(folder)) {
    const content = readIfThere(path);
    if (content !== undefined) yield { name: relative(folder, path), content };
  }
}

/** What the Docker Engine says of containers, what they wrote, their processes and their scratch. */
export async function* containerPlaces(names: readonly string[]): AsyncIterable<Place> {
  for (const name of names) {
    const [inspected] = JSON.parse(await dockerOutput(docker, ["container", "inspect", name])) as [Inspected];
    yield { name: `docker inspect of container ${name}`, content: JSON.stringify(inspected) };
    const logs = start(["logs", name]);
    const [stdout, stderr] = await Promise.all([buffer(logs.stdout), buffer(logs.stderr)]);
    yield { name: `docker logs of ${name}, stdout`, content: stdout };
    yield { name: `docker logs of ${name}, stderr`, content: stderr };
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

/** What Loki keeps, as it answers. */
export async function* lokiPlaces(example: Example, components: readonly string[]): AsyncIterable<Place> {
  const from = `${Date.now() - 3_600_000}000000`;
  for (const component of components) {
    const query = encodeURIComponent(`{component="${component}"}`);
    const path = `/loki/api/v1/query_range?query=${query}&start=${from}&limit=${LOKI_LINES}`;
    const answer = (await ask(example, "loki", 3100, "prometheus", path)) as LokiAnswer;
    const lines = answer.data.result.flatMap(({ values }) => values).length;
    if (lines >= LOKI_LINES) throw new Error(`Loki has more than ${LOKI_LINES} lines of ${component}`);
    yield { name: `Loki on ${component}`, content: JSON.stringify(answer) };
  }
}

/** What Prometheus keeps beside numbers, as it answers. */
export async function* prometheusPlaces(example: Example): AsyncIterable<Place> {
  for (const path of ["series?match[]={__name__!=%22%22}", "metadata", "targets", "status/config", "status/flags"]) {
    const answer = await ask(example, "prometheus", 9090, "prometheus", `/api/v1/${path}`);
    yield { name: `Prometheus on ${path}`, content: JSON.stringify(answer) };
  }
}

interface Inspected {
  readonly State: { readonly Running: boolean; readonly Pid: number };
  readonly HostConfig: { readonly Tmpfs?: Readonly<Record<string, string>> };
}

interface LokiAnswer {
  readonly data: { readonly result: readonly { readonly values: readonly unknown[] }[] };
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
