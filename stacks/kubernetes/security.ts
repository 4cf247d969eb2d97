import type { V1PodSecurityContext, V1SecurityContext } from "@kubernetes/client-node";
import type { Component } from "../../model/component.ts";
import { grantsOf } from "../docker/grants.ts";
import { kubernetesStackErrors } from "./errors.ts";

/** Who every process in a pod is; what is mounted is readable for its group alone. */
export const POD_USER = 10_001;

/** What a component may be granted: the rest is what PodSecurity `restricted` refuses. */
const GRANTABLE: readonly string[] = ["rootfs:writable", "health:none"];

/** What all containers of a pod have in common. */
export const POD_SECURITY: V1PodSecurityContext = {
  runAsNonRoot: true,
  runAsUser: POD_USER,
  runAsGroup: POD_USER,
  fsGroup: POD_USER,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
};

/**
 * The rights of a component's container.
 * @throws KUBERNETES_COMPONENT for what PodSecurity `restricted` refuses
 */
export function containerSecurity(component: Component): V1SecurityContext {
  const grants = grantsOf(component);
  const refused = [...grants].filter((grant) => !GRANTABLE.includes(grant));
  if (refused.length > 0) {
    const message = `component "${component.name}" is granted ${refused.join(", ")}, which PodSecurity restricted refuses; accepted: ${GRANTABLE.join(", ")}`;
    throw kubernetesStackErrors.error("KUBERNETES_COMPONENT", message, { path: `components.${component.name}` });
  }
  return {
    runAsNonRoot: true,
    runAsUser: POD_USER,
    runAsGroup: POD_USER,
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: !grants.has("rootfs:writable"),
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
}
