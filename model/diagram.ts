import type { Model } from "./boundary.ts";
import { ZONE_HOLDS } from "./boundary-table.ts";
import type { Component } from "./component.ts";
import type { DataClass, Zone } from "./zones.ts";
import { ZONES } from "./zones.ts";

/** Zones, components and flows as a Mermaid flowchart; the boundary has a heavy border, what the engine carries is dotted. */
export function renderMermaid(model: Model): string {
  const zones = ZONES.flatMap((zone) => zoneLines(zone, model.components));
  const flows = model.flows.map(
    ({ from, to, port, protection, carries, byEngine }) =>
      `  ${idOf(from)} ${byEngine === true ? "-.->" : "-->"}|"${port}, ${protection}: ${carries.join(", ")}"| ${idOf(to)}`,
  );
  return ["flowchart LR", ...zones, ...flows, "  style decryption stroke-width:4px", ""].join("\n");
}

function zoneLines(zone: Zone, components: readonly Component[]): string[] {
  const inside = components.filter((component) => component.zone === zone);
  if (inside.length === 0) return [];
  const holds: readonly DataClass[] = ZONE_HOLDS[zone];
  const title = holds.includes("decryption-key") ? `${zone} (the boundary)` : zone;
  const nodes = inside.map(({ name, holds: held }) => `    ${idOf(name)}["${name}<br/>${held.join(", ")}"]`);
  return [`  subgraph ${zone}["${title}"]`, ...nodes, "  end"];
}

/** Names have characters that Mermaid takes for arrows. */
function idOf(name: string): string {
  return `c_${name.replaceAll("-", "_")}`;
}
