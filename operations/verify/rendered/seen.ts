import type { CheckContext } from "../../../stacks/docker/check/subject.ts";
import type { CheckId } from "../checks.ts";

/** Ids of the rendered layer. */
export type RenderedCheck = Extract<CheckId, `rendered.${string}`>;

/** What there is to look at for a check, with counts: by the model, which the stack is held against. */
export function seenOf(
  id: Exclude<RenderedCheck, "rendered.deployed">,
  { model }: Pick<CheckContext, "model">,
): string {
  const { components, flows } = model;
  const sum = (count: (component: (typeof components)[number]) => number): number =>
    components.reduce((total, component) => total + count(component), 0);
  const containers = `${components.length} containers`;
  const networked = flows.filter(({ protection, byEngine }) => protection !== "unix" && byEngine !== true).length;
  const published = sum(({ ports }) => ports.filter(({ publish }) => publish).length);
  const mounted = `${sum(({ files }) => files.length)} files, ${sum(({ volumes }) => volumes.length)} volumes, ${sum(({ sockets }) => sockets.length)} sockets`;
  const images = new Set(components.flatMap(({ image }) => image ?? [])).size;
  const seen: Readonly<Record<typeof id, string>> = {
    "rendered.networks": `${containers} on the networks of ${networked} flows`,
    "rendered.ports": `${published} published ports of ${containers}`,
    "rendered.mounts": `${mounted} of ${containers}`,
    "rendered.rights": `${containers}, ${sum(({ exceptions }) => exceptions.length)} exceptions`,
    "rendered.secrets": `every text of the stack, ${sum(({ environment = {} }) => Object.keys(environment).length)} variables`,
    "rendered.images": `${images} images of components, by digest where a lock says one`,
    "rendered.limits": containers,
    "rendered.engine": `provider, state and ${containers}`,
  };
  return seen[id];
}
