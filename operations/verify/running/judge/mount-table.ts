import type { Finding } from "../../../../shared/finding.ts";
import { shown } from "../../../../shared/shown.ts";
import type { ContainerSpec } from "../../../../stacks/docker/containers.ts";
import { breach } from "../result.ts";

/** Where the engine itself mounts something in every container. */
const ENGINES =
  /^\/(?:proc(?:\/.*)?|sys(?:\/.*)?|dev(?:\/(?:pts|mqueue|shm|console))?|etc\/(?:resolv\.conf|hostname|hosts))?$/;

/**
 * What the kernel's list of a container's mounts (proc_pid_mountinfo(5)) has that the component has not, and the other way round.
 * @param table undefined where it could not be read
 */
export function mountFindings(spec: ContainerSpec, table: string | undefined): readonly Finding[] {
  if (table === undefined) return [];
  const path = `containers.${spec.name}.mounts`;
  const rows = table
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, , , , at = "", options = ""] = line.split(" ");
      return [unescaped(at), options.split(",")] as const;
    });
  const mounted = new Map(rows);
  // What lies below is hidden, so what is seen there is the later one's.
  const twice = [...Map.groupBy(rows, ([at]) => at)].filter(([, mounts]) => mounts.length > 1);
  const readOnly = new Map([
    ...spec.mounts.map(({ target, readOnly }) => [target, readOnly] as const),
    ...Object.keys(spec.tmpfs).map((target) => [target, false] as const),
    ...spec.devices.map((device) => [device, false] as const),
  ]);
  const strange = [...mounted.keys()].filter((at) => !readOnly.has(at) && !ENGINES.test(at));
  const missing = [...readOnly.keys()].filter((at) => !mounted.has(at) && !spec.devices.includes(at));
  const writable = [...readOnly, ["/", spec.readOnlyRoot] as const].filter(
    ([at, wanted]) => wanted && mounted.has(at) && mounted.get(at)?.includes("ro") !== true,
  );
  return [
    ...strange.map((at) => `the kernel has a mount at ${shown(at)}`),
    ...missing.map((at) => `the kernel has no mount at ${shown(at)}`),
    ...twice.map(([at, mounts]) => `the kernel has ${mounts.length} mounts over each other at ${shown(at)}`),
    ...writable.map(([at]) => `${shown(at)} may be written to`),
  ].map((message) => breach("RUNNING_MOUNT", path, message));
}

/** Space, tab, line feed and backslash are octal there. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
