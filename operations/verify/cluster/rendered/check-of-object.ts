import type { ObjectCode } from "../../../../stacks/kubernetes/check/differences.ts";
import type { RenderedCheck } from "../../rendered/seen.ts";

/** The check that each finding of rendered objects belongs to: exactly one, and the compiler misses none. */
export const CHECK_OF_OBJECT = {
  OBJECT_POLICY: "rendered.networks",
  OBJECT_LABEL: "rendered.networks",
  OBJECT_SERVICE: "rendered.ports",
  OBJECT_MOUNT: "rendered.mounts",
  OBJECT_CONFIG: "rendered.mounts",
  OBJECT_SECURITY: "rendered.rights",
  OBJECT_TOKEN: "rendered.rights",
  OBJECT_COMMAND: "rendered.rights",
  OBJECT_SECRET: "rendered.secrets",
  OBJECT_IMAGE: "rendered.images",
  OBJECT_LIMIT: "rendered.limits",
  OBJECT_HEALTH: "rendered.limits",
  OBJECT_RUNNING: "rendered.limits",
  OBJECT_SHAPE: "rendered.engine",
  OBJECT_KIND: "rendered.engine",
  OBJECT_MEMBER: "rendered.engine",
  OBJECT_STRANGER: "rendered.engine",
} as const satisfies Readonly<Record<ObjectCode, RenderedCheck>>;
