import type { Facts } from "../schema/facts-schema.ts";
import { html, type Markup, table } from "./markup.ts";

/** The parts of a deployment that somebody else runs; nothing where there are none. */
export function elsewhereTable(facts: Facts): Markup {
  if (!("elsewhere" in facts) || facts.elsewhere.length === 0) return html``;
  const rows = facts.elsewhere.map(({ component, zone, holds, host, region }) => [
    component,
    zone,
    holds.length === 0 ? "nothing" : holds.join(", "),
    host ?? "only connects",
    region ?? "that of the deployment",
  ]);
  const heads = ["part", "zone", "may hold", "asked at", "region"];
  return html`\n${table("Parts that somebody else runs: nobody looked inside", heads, rows)}`;
}
