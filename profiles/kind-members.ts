import type { z } from "zod";

/** Which members of a map belong to which of its kinds. */
export interface KindMembers {
  /** Members that a kind must have. */
  readonly needed: Readonly<Record<string, readonly string[]>>;
  /** Members that a kind may have. */
  readonly optional?: Readonly<Record<string, readonly string[]>>;
  /** Members that every kind may have. */
  readonly common?: readonly string[];
}

/** Holds a map to its kind: everything that the kind needs is there, and nothing that only another kind has. */
export function holdToKind({ needed, optional = {}, common = [] }: KindMembers) {
  return (value: { readonly kind?: string }, context: z.core.$RefinementCtx): void => {
    const kind = value.kind ?? "";
    const wanted = needed[kind] ?? [];
    const known = new Set(["kind", ...wanted, ...(optional[kind] ?? []), ...common]);
    for (const member of wanted) {
      if (Reflect.get(value, member) === undefined) {
        context.addIssue({ code: "custom", path: [member], message: `kind ${kind} needs it` });
      }
    }
    for (const member of Object.keys(value)) {
      if (!known.has(member)) context.addIssue({ code: "custom", path: [member], message: `kind ${kind} has none` });
    }
  };
}
