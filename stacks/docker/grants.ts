import type { Component, Grant } from "../../model/component.ts";

/** Everything that a component's exceptions grant. */
export function grantsOf(component: Component): ReadonlySet<Grant> {
  return new Set(component.exceptions.flatMap(({ grants = [] }) => grants));
}

/** What is granted of one kind, such as the capabilities, sorted. */
export function granted(component: Component, kind: "capability" | "host-socket" | "device"): readonly string[] {
  const prefix = `${kind}:`;
  return [...grantsOf(component)]
    .flatMap((grant) => (grant.startsWith(prefix) ? [grant.slice(prefix.length)] : []))
    .sort();
}
