export type { TrustKernDeploymentArgs } from "./args.ts";
export { TrustKernDeployment } from "./deployment.ts";
export type { Endpoint, ProcessLimit, SecretReference } from "./outputs.ts";
export type { PlannedObject } from "./planned-object.ts";
export type { Transform } from "./transform.ts";
