import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { messageOf } from "../../../../shared/errors.ts";
import { inWorkspace } from "../../../../stacks/docker/life/workspace.ts";
import { type DockerCli, dockerOutput } from "../../../../stacks/host/docker-cli.ts";
import type { Layout } from "../../../../stacks/host/layout.ts";
import { filePlaces } from "../../search/files.ts";
import type { Place } from "../../search/place.ts";
import type { Source } from "../look.ts";
import type { DataSubject } from "../subject.ts";
import { filesSource } from "./volumes.ts";

/** What the engine knows of a deployment: the state directory but for the volumes, the stack, and what Docker says. */
export function engineSources(subject: DataSubject, containers: readonly string[], since: number): readonly Source[] {
  const { docker, rendered } = subject;
  const { layout, plan, stack } = rendered;
  const networks = plan.networks.map(({ name }) => name);
  return [
    ...stateDirectory(layout, since),
    ...(plan.deployment.state.kind === "local" ? [] : [said("the state", () => remoteState(subject))]),
    said("the rendered stack", async () => [["the rendered stack", JSON.stringify(stack)]]),
    said("docker inspect", () => inspected(docker, "container", containers)),
    said("docker network inspect", () => inspected(docker, "network", networks)),
    said("docker image inspect", async () => inspected(docker, "image", await imagesOf(docker, containers))),
  ];
}

/** The state directory on this machine, but for the volumes. */
export function stateDirectory(
  { dir, volumesDir }: Pick<Layout, "dir" | "volumesDir">,
  since: number,
): readonly Source[] {
  const folders = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== basename(volumesDir))
    .map(({ name }) => filesSource(name, `${dir}/${name}`, since));
  return [...folders, topFiles(dir, since)];
}

/** The files beside the folders of the state directory. */
function topFiles(dir: string, since: number): Source {
  const places = async function* (onUnread: (what: string) => void, onOld: () => void): AsyncIterable<Place> {
    const onFile = (path: string, thrown: unknown): void => onUnread(`${path}: ${messageOf(thrown)}`);
    yield* filePlaces(dir, { since, onOld, onUnread: onFile, folders: false });
  };
  return { name: "the state directory", places };
}

/** Texts by their names. */
export type Said = readonly (readonly [name: string, text: string])[];

/** What somebody answers, as places. */
export function said(name: string, ask: () => Promise<Said>): Source {
  const places = async function* (): AsyncIterable<Place> {
    for (const [place, content] of await ask()) yield { name: place, content };
  };
  return { name, places };
}

/** What a remote back end keeps, as OpenTofu or Terraform reads it. */
async function remoteState(subject: DataSubject): Promise<Said> {
  const quiet = { ...subject, onResource: () => undefined };
  return inWorkspace(quiet, subject.rendered, async ({ terraform }) => [["the state", await terraform.pull()]]);
}

async function inspected(docker: DockerCli, kind: string, names: readonly string[]): Promise<Said> {
  if (names.length === 0) return [];
  const all = JSON.parse(await dockerOutput(docker, [kind, "inspect", ...names])) as readonly unknown[];
  return all.map((one, index) => [`docker ${kind} inspect ${names[index]}`, JSON.stringify(one)]);
}

async function imagesOf(docker: DockerCli, containers: readonly string[]): Promise<readonly string[]> {
  const ids = await dockerOutput(docker, ["container", "inspect", "--format", "{{.Image}}", ...containers]);
  return [...new Set(ids.split("\n").filter(Boolean))];
}
