import type { ContainerArgs, NetworkArgs, RemoteImageArgs } from "@pulumi/docker";
import type { KubernetesObject } from "./kubernetes/planned-object.ts";
import type { Plain } from "./plain.ts";

/**
 * What one resource of a deployment on the docker engine will be given, before it is registered. Where one names another it says so
 * as a stack does: `${docker_image.NAME.image_id}` and `${docker_network.NAME.id}`.
 */
export type DockerObject =
  | { readonly kind: "network"; readonly name: string; readonly inputs: Plain<NetworkArgs> }
  | { readonly kind: "image"; readonly name: string; readonly inputs: Plain<RemoteImageArgs> }
  | { readonly kind: "container"; readonly name: string; readonly inputs: Plain<ContainerArgs> };

/** What one resource of a deployment will be given, of either engine. */
export type PlannedObject = DockerObject | KubernetesObject;
