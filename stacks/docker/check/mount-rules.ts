import { dirname, join } from "node:path";
import type { Finding } from "../../../shared/finding.ts";
import { INSIDE } from "../placement.ts";
import { isOwnFolder } from "./host-places.ts";
import { keySocketFolder } from "./key-rules.ts";
import { blocks, finding, misshapen, named, onceEach, type Rule, type Subject, shown, strangers } from "./subject.ts";

/** Where a container has the folder of the host's socket that leads to its key. */
const HOST_KEYS = join(INSIDE.sockets, "host.keys");

interface Allowed {
  readonly target: string;
  readonly writable: boolean;
}

/** The mounts are the files and folders of the state directory that belong to the component, each at its place. */
export const mountRule: Rule = (value, subject) => {
  const path = `${subject.path}.mounts`;
  const mounts = blocks(value);
  if (mounts === undefined) return misshapen(path, "a list of mounts", value);
  const allowed = allowedMounts(subject);
  const seen = new Set<unknown>();
  const wrong = mounts.flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const again = seen.has(mount.target);
    seen.add(mount.target);
    return [
      ...strangers(mount, ["type", "source", "target", "read_only"], at),
      ...(again ? [finding("RENDERED_MOUNT", at, `a second mount at ${named(mount.target)}`)] : []),
      ...oneMount(mount, typeof mount.source === "string" ? allowed.get(mount.source) : undefined, at),
    ];
  });
  const sources = mounts.map(({ source }) => String(source));
  return [...wrong, ...onceEach("RENDERED_MOUNT", path, sources, [...allowed.keys()])];
};

function oneMount(mount: Readonly<Record<string, unknown>>, own: Allowed | undefined, at: string): readonly Finding[] {
  const { type, source, target, read_only: readOnly } = mount;
  if (type !== "bind") return [finding("RENDERED_MOUNT", at, `is of type ${named(type)}; accepted: bind`)];
  if (own === undefined) {
    const message = `${named(source)} is none of the component's files, secrets, volumes and sockets`;
    if (target !== HOST_KEYS) return [finding("RENDERED_MOUNT", at, message)];
    const why = `${message}, nor a folder for a socket of the host apart from the deployment's own`;
    return [{ ...finding("RENDERED_MOUNT", at, why), fix: "name a socket in a folder of its own below /run" }];
  }
  const elsewhere =
    target === own.target ? [] : [finding("RENDERED_MOUNT", at, `is at ${named(target)}; accepted: ${own.target}`)];
  const code = own.writable ? "RENDERED_MOUNT" : "RENDERED_MOUNT_WRITABLE";
  const writable =
    readOnly === !own.writable
      ? []
      : [finding(code, at, `${named(source)} has read_only ${shown(readOnly)}; accepted: ${!own.writable}`)];
  return [...elsewhere, ...writable];
}

// Worked out anew from the component, and not by what renders the mounts: else one mistake would be made twice.
function allowedMounts({ component, deployment, layout, model }: Subject): ReadonlyMap<string, Allowed> {
  const { name } = component;
  const allowed = new Map<string, Allowed>();
  for (const { path } of component.files) {
    // By a function: a path may hold what `replace` would read in a text, such as `$$`.
    allowed.set(
      path.replace(INSIDE.config, () => join(layout.configDir, name)),
      { target: path, writable: false },
    );
  }
  for (const { file } of component.secrets) {
    allowed.set(join(layout.secretsDir, name), { target: dirname(file), writable: false });
  }
  for (const volume of component.volumes) {
    allowed.set(join(layout.volumesDir, name, volume.name), { target: volume.path, writable: true });
  }
  for (const listener of model.components) {
    for (const { name: socket, path } of listener.sockets) {
      const own = listener.name === name;
      const reached = model.flows.some(
        ({ from, to, port, protection, byEngine }) =>
          from === name && to === listener.name && port === socket && protection === "unix" && !byEngine,
      );
      if (own || reached) {
        allowed.set(join(layout.runDir, `${listener.name}.${socket}`), { target: dirname(path), writable: own });
      }
    }
  }
  const keys = keySocketFolder(component, deployment);
  // No word of the file is taken over the model: what lies in the deployment's own folders is a flow's, or nobody's.
  if (keys !== undefined && !isOwnFolder(keys, layout)) allowed.set(keys, { target: HOST_KEYS, writable: false });
  return allowed;
}
