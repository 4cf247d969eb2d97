import type { RotationContext } from "./context.ts";
import { rotateIntermediate } from "./intermediate.ts";
import { rotateLeaf } from "./leaf.ts";
import type { Rotation } from "./machine.ts";
import { rotatePin } from "./pin.ts";
import { rotateRoot } from "./root.ts";
import type { RotationTarget } from "./target.ts";
import { rotateToken } from "./token.ts";

/** The phases that replace a target. */
export function rotationOf(target: RotationTarget, context: RotationContext): Rotation {
  switch (target.kind) {
    case "root":
      return rotateRoot(context);
    case "intermediate":
      return rotateIntermediate(context, target.leafClass);
    case "leaf":
      return rotateLeaf(context, target.component);
    case "pin":
      return rotatePin(context);
    case "token":
      return rotateToken(context, target.gateway);
  }
}
