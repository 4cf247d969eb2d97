import type { Model } from "../../../model/boundary.ts";
import type { Zone } from "../../../model/zones.ts";
import type { Finding } from "../../../shared/finding.ts";
import { overlaps } from "../../../shared/paths.ts";
import type { Layout } from "../../host/layout.ts";
import { type Attributes, blocks, finding, named, type RenderedCode } from "./subject.ts";

/** Something of the host that a container of the stack is given. */
interface Given {
  readonly zone: Zone;
  readonly code: RenderedCode;
  readonly path: string;
  readonly source: string;
}

/**
 * What a stack gives to containers of two zones at once, whatever the file says of it: a folder or device of the host, or one in the
 * other. Sockets of the deployment's own lie in its run folder, and `mounts` are held against the flows to them.
 */
export function sharedPlaces(
  containers: Readonly<Record<string, Attributes>>,
  { components }: Pick<Model, "components">,
  layout: Pick<Layout, "runDir">,
): readonly Finding[] {
  const given = components
    .flatMap(({ name, zone }) => givenTo(name, zone, Object.hasOwn(containers, name) ? containers[name] : undefined))
    .filter(({ source }) => !source.startsWith(`${layout.runDir}/`));
  return given.flatMap((one, index) => {
    const other = given.find((each, at) => at !== index && each.zone !== one.zone && overlaps(each.source, one.source));
    if (other === undefined) return [];
    return [finding(one.code, one.path, `${named(one.source)} is given to a container of zone ${other.zone} too`)];
  });
}

function givenTo(name: string, zone: Zone, container: Attributes | undefined): readonly Given[] {
  const path = `resource.docker_container.${name}`;
  const each = (member: "mounts" | "devices", source: "source" | "host_path", code: RenderedCode): readonly Given[] =>
    (blocks(container?.[member]) ?? []).flatMap((block, index) => {
      const said = block[source];
      return typeof said === "string" ? [{ zone, code, path: `${path}.${member}[${index}]`, source: said }] : [];
    });
  return [...each("mounts", "source", "RENDERED_MOUNT"), ...each("devices", "host_path", "RENDERED_PRIVILEGED")];
}

/** Whether a folder of the host is the deployment's own, or holds it: its sockets, secrets and volumes would be seen there. */
export function isOwnFolder(folder: string, { dir, runDir }: Pick<Layout, "dir" | "runDir">): boolean {
  return overlaps(folder, dir) || overlaps(folder, runDir);
}
