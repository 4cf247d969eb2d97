import type { ClusterChanges } from "../stacks/kubernetes/life/changes.ts";
import type { Paint } from "./paint.ts";

const SIGNS = { create: ["+", "green"], update: ["~", "yellow"], delete: ["-", "red"] } as const;

/** Changes of a cluster's objects for people: one line for each. */
export function changesText({ changes, namespace }: ClusterChanges, paint: Paint): string {
  if (changes.length === 0) return `nothing would change in namespace ${namespace}\n`;
  const lines = changes.map(({ action, kind, name }) => {
    const [sign, color] = SIGNS[action];
    return paint(color, `${sign} ${kind} ${name}`);
  });
  return [...lines, `${changes.length} changes in namespace ${namespace}`, ""].join("\n");
}
