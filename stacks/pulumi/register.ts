import {
  Container,
  type ContainerArgs,
  Network,
  type NetworkArgs,
  RemoteImage,
  type RemoteImageArgs,
} from "@pulumi/docker";
import type { ComponentResource, Output } from "@pulumi/pulumi";
import type { DockerObject } from "./planned-object.ts";

/** Every resource of a deployment, by the name of its object. */
export interface Registered {
  readonly networks: Readonly<Record<string, Network>>;
  readonly images: Readonly<Record<string, RemoteImage>>;
  readonly containers: Readonly<Record<string, Container>>;
}

/**
 * Registers the objects as children of a component. Names are state: `<component>.<object>`, and an object's name has no dot, so that two
 * deployments of a stack never share one.
 */
export function registerObjects(
  objects: readonly DockerObject[],
  parent: ComponentResource,
  prefix: string,
): Registered {
  // A container's name, and a network's addresses, are free only once the old one is gone.
  const options = { parent, deleteBeforeReplace: true } as const;
  const networks: Record<string, Network> = {};
  const images: Record<string, RemoteImage> = {};
  const containers: Record<string, Container> = {};
  for (const { kind, name, inputs } of objects) {
    const id = `${prefix}.${name}`;
    if (kind === "network") networks[name] = new Network(id, inputs as NetworkArgs, options);
    else if (kind === "image") images[name] = new RemoteImage(id, inputs as RemoteImageArgs, options);
    else containers[name] = new Container(id, joined(inputs as ContainerArgs, networks, images), options);
  }
  return { networks, images, containers };
}

/** The inputs of a container with what they name of other resources: by ID, so that what is made anew makes its users anew. */
function joined(inputs: ContainerArgs, networks: Registered["networks"], images: Registered["images"]): ContainerArgs {
  const memberships = (inputs.networksAdvanced ?? []) as readonly { readonly name: string }[];
  return {
    ...inputs,
    image: named(inputs.image as string, /^\$\{docker_image\.(.+)\.image_id\}$/, images, ({ imageId }) => imageId),
    networksAdvanced: memberships.map((membership) => ({
      ...membership,
      name: named(membership.name, /^\$\{docker_network\.(.+)\.id\}$/, networks, ({ id }) => id),
    })),
  };
}

function named<T>(
  text: string,
  form: RegExp,
  known: Readonly<Record<string, T>>,
  output: (resource: T) => Output<string>,
): string | Output<string> {
  const name = form.exec(text)?.[1];
  const resource = name === undefined ? undefined : known[name];
  return resource === undefined ? text : output(resource);
}
