import { LEAF_CLASSES, type LeafClass } from "../../../certs/names.ts";
import { rotationErrors } from "./errors.ts";

/** What one rotation replaces. */
export type RotationTarget =
  | { readonly kind: "root" }
  | { readonly kind: "intermediate"; readonly leafClass: LeafClass }
  | { readonly kind: "leaf"; readonly component: string }
  | { readonly kind: "pin" }
  | { readonly kind: "token"; readonly gateway: string };

/** What a deployment has that can be named. */
export interface Rotatable {
  /** Components with a certificate. */
  readonly components: readonly string[];
  readonly gateways: readonly string[];
}

/**
 * What `--what` names: `root`, `intermediate:CLASS`, `leaf:COMPONENT`, `pin` or `token:GATEWAY`.
 * @throws ROTATION_TARGET_UNKNOWN with what is accepted
 */
export function parseTarget(text: string, { components, gateways }: Rotatable): RotationTarget {
  const [kind, name = "", ...more] = text.split(":");
  const leafClass = LEAF_CLASSES.find((each) => each === name);
  if (more.length === 0) {
    if (kind === "root" && text === kind) return { kind };
    if (kind === "pin" && text === kind) return { kind };
    if (kind === "intermediate" && leafClass !== undefined) return { kind, leafClass };
    if (kind === "leaf" && components.includes(name)) return { kind, component: name };
    if (kind === "token" && gateways.includes(name)) return { kind, gateway: name };
  }
  const accepted = [
    "root",
    "pin",
    ...LEAF_CLASSES.map((each) => `intermediate:${each}`),
    ...components.map((each) => `leaf:${each}`),
    ...gateways.map((each) => `token:${each}`),
  ];
  throw rotationErrors.error("ROTATION_TARGET_UNKNOWN", `"${text}" is none of ${accepted.join(", ")}`, {
    path: "--what",
  });
}

/** The text that {@link parseTarget} reads. */
export function renderTarget(target: RotationTarget): string {
  switch (target.kind) {
    case "root":
    case "pin":
      return target.kind;
    case "intermediate":
      return `intermediate:${target.leafClass}`;
    case "leaf":
      return `leaf:${target.component}`;
    case "token":
      return `token:${target.gateway}`;
  }
}
