export type { DockerDeploymentArgs, KubernetesDeploymentArgs, TrustKernDeploymentArgs } from "./args.ts";
export { TrustKernDeployment } from "./deployment.ts";
export type { KubernetesObject } from "./kubernetes/planned-object.ts";
export type { Endpoint, ProcessLimit, SecretReference } from "./outputs.ts";
export type { DockerObject, PlannedObject } from "./planned-object.ts";
export type { Transform } from "./transform.ts";
