import type { Zone } from "../../../../model/zones.ts";
import type { Source } from "../../data/look.ts";
import type { Place } from "../../search/place.ts";
import { readFiles } from "../inside/programs.ts";
import { runInside } from "../inside/run-inside.ts";
import type { SeenPod } from "../running/observation.ts";
import type { ClusterSubject } from "../subject.ts";

/** Shared memory, which every container has and may write to. */
const SHARED_MEMORY = "/dev/shm";
const PART_BYTES = 1024 * 1024;
/** Longest time for the files of one container, in milliseconds; larger ones than that are not looked at. */
const LIMIT_MS = 300_000;
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * Everything that the components of some zones can write to: their volumes, their scratch in memory, and shared memory, as they see
 * it themselves. An image without Node hands nothing over: what it has is not looked at, and said to be.
 * @param since milliseconds since the Unix epoch: what nobody touched since cannot hold what was made then
 */
export function podSources(
  { cluster }: Pick<ClusterSubject, "cluster">,
  pods: readonly SeenPod[],
  zones: readonly Zone[],
  since: number,
): readonly Source[] {
  const { namespace } = cluster.plan.deployment.kubernetes;
  return pods.flatMap((one) =>
    one.pod.components
      .filter(({ zone }) => zones.includes(zone))
      .map(({ name, volumes, scratch }) => {
        const folders = [...volumes.map(({ path }) => path), ...scratch.map(({ path }) => path), SHARED_MEMORY];
        const nameOf = (path: string): string => {
          const volume = volumes.find((each) => path.startsWith(`${each.path}/`));
          if (volume === undefined) return `${one.name}:${path}`;
          const inside = path.slice(volume.path.length + 1);
          // As the witnesses look for it, and whose of several pods it is.
          return `volumes/${name}/${volume.name}/${inside}${one.name === `${name}-0` ? "" : ` of ${one.name}`}`;
        };
        const place = { config: cluster.config, namespace, pod: one.name, container: name };
        return {
          name: `files of ${one.name}`,
          places: (onUnread, onOld) =>
            filesOf(runInside(place, readFiles, { folders, since, partBytes: PART_BYTES }, LIMIT_MS), {
              onUnread,
              onOld,
              nameOf,
            }),
        } satisfies Source;
      }),
  );
}

/** Who hears of what is not handed over, and what files are called here. */
export interface Heard {
  readonly onUnread: (what: string) => void;
  readonly onOld: () => void;
  readonly nameOf: (path: string) => string;
}

/**
 * The files in what a pod hands over, each whole.
 * @param maxBytes of a file that is looked at. @default {@link MAX_BYTES}
 */
export async function* filesOf(
  answers: ReturnType<typeof readFiles>,
  { onUnread, onOld, nameOf }: Heard,
  maxBytes: number = MAX_BYTES,
): AsyncIterable<Place> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const answer of answers) {
    if ("why" in answer) onUnread(`${answer.path}: ${answer.why}`);
    else if ("old" in answer) onOld();
    else {
      const part = Buffer.from(answer.bytes, "base64");
      bytes += part.length;
      if (bytes <= maxBytes) parts.push(part);
      if (!answer.last) continue;
      if (bytes > maxBytes) onUnread(`${answer.path}: it has more than ${maxBytes} bytes`);
      else yield { name: nameOf(answer.path), content: streamed(parts) };
      [parts, bytes] = [[], 0];
    }
  }
}

async function* streamed(parts: readonly Buffer[]): AsyncIterable<Uint8Array> {
  yield* parts;
}
