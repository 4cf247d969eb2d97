import { join } from "node:path";
import type { Component } from "../../../../model/component.ts";
import type { Zone } from "../../../../model/zones.ts";
import { messageOf } from "../../../../shared/errors.ts";
import type { Inspected } from "../../../../stacks/docker/life/inspect.ts";
import type { Layout } from "../../../../stacks/host/layout.ts";
import { filePlaces } from "../../search/files.ts";
import type { Place } from "../../search/place.ts";
import type { Source } from "../look.ts";

/** Where files of containers are looked for. */
export interface FilesSubject {
  readonly components: readonly Component[];
  readonly containers: ReadonlyMap<string, Inspected>;
  readonly layout: Pick<Layout, "volumesDir">;
  /** Milliseconds since the Unix epoch: when the message was made. Files that nobody touched since cannot hold it. */
  readonly since: number;
}

/** Shared memory, which every container has and may write to. */
const SHARED_MEMORY = "/dev/shm";

/** Everything that the components of some zones can write to: their volumes, their scratch in memory, and their shared memory. */
export function writableSources(subject: FilesSubject, zones: readonly Zone[]): readonly Source[] {
  const { components, containers, layout, since } = subject;
  return components
    .filter(({ zone }) => zones.includes(zone))
    .flatMap(({ name, volumes, scratch }) => {
      const pid = containers.get(name)?.State.Pid ?? 0;
      const inMemory = [...scratch.map(({ path }) => path), SHARED_MEMORY];
      return [
        ...volumes.map((volume) =>
          filesSource(`volumes/${name}/${volume.name}`, join(layout.volumesDir, name, volume.name), since),
        ),
        // What a container has in memory is gone with it.
        ...(pid === 0 ? [] : inMemory.map((path) => filesSource(`${name}:${path}`, `/proc/${pid}/root${path}`, since))),
      ];
    });
}

/** The files of a folder that were touched since, by a name for the folder and their paths in it. */
export function filesSource(name: string, folder: string, since: number): Source {
  return {
    name,
    places: (onUnread, onOld) =>
      renamed(
        filePlaces(folder, { since, onOld, onUnread: (path, thrown) => onUnread(`${path}: ${messageOf(thrown)}`) }),
        (path) => `${name}/${path}`,
      ),
  };
}

async function* renamed(places: AsyncIterable<Place>, rename: (name: string) => string): AsyncIterable<Place> {
  for await (const { name, content } of places) yield { name: rename(name), content };
}
