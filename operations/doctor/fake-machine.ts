import type { HostPath } from "../../stacks/docker/life/host-path.ts";
import type { Machine, PortState } from "./machine.ts";

/** What a test says of a machine; everything else is not there. */
export interface FakeMachine {
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly devices?: Readonly<Record<string, string>>;
  readonly freeBytes?: number;
  readonly ports?: Readonly<Record<number, PortState>>;
  /** What is said of owners and rights, apart from the tables above. */
  readonly owned?: Readonly<Record<string, HostPath>>;
  readonly programs?: Readonly<Record<string, string>>;
}

/** A machine out of a table, for tests. A path is there when a file, a link or a device is at it or below it. */
export function fakeMachine(fake: FakeMachine = {}): Machine {
  const { files = {}, links = {}, devices = {}, ports = {}, owned = {}, programs = {} } = fake;
  const paths = [...Object.keys(files), ...Object.keys(links), ...Object.keys(devices)];
  const isThere = (path: string) => paths.some((known) => known === path || known.startsWith(`${path}/`));
  return {
    readText: (path) => files[path],
    listFolder: (folder) => {
      const below = paths.filter((path) => path.startsWith(`${folder}/`));
      if (below.length === 0) return undefined;
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0] ?? ""))].sort();
    },
    realPath: (path) => links[path] ?? (isThere(path) ? path : undefined),
    diskSpace: (path) => (isThere(path) ? { freeBytes: fake.freeBytes ?? 2 ** 40, totalBytes: 2 ** 41 } : undefined),
    deviceOf: (path) => devices[path],
    lookAt: async (path) => owned[path],
    tryPort: async (_, __, port) => ports[port] ?? "free",
    output: async (program) => programs[program],
  };
}
