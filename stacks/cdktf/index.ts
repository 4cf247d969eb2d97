export type { SecretNames } from "../kubernetes/plan.ts";
export type { Unsaid } from "../kubernetes/terraform/unsaid.ts";
export { TrustKernStack, type TrustKernStackArgs } from "./trustkern-stack.ts";
