import type { Edge, Graph, Node, Subgraph } from "@viz-js/viz";
import type { Model } from "../../model/boundary.ts";
import { ZONE_HOLDS } from "../../model/boundary-table.ts";
import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Flow } from "../../model/flow.ts";
import { type DataClass, ZONES, type Zone } from "../../model/zones.ts";
import { componentLabel, flowLabel, sourcesLabel, titleLabel } from "./labels.ts";
import { COLOURS, flowColour, ZONE_FILL } from "./palette.ts";

/** Fonts of this family have characters of one width, so a box that fits here fits on every machine. */
export const MEASURED_FONT = "Courier";

/** Widest picture in inches, at 96 pixels each 1440 pixels; a wider one is scaled down. */
const MAX_SIZE = "15,1000";

/** A model as a Graphviz graph: zones are clusters in the order of the data's way, flows are edges. */
export function planGraph(model: Model, deployment: Deployment): Graph {
  const zones = ZONES.filter((zone) => model.components.some((component) => component.zone === zone));
  const engineFlows = planEngineFlows(model);
  return {
    name: deployment.name,
    directed: true,
    graphAttributes: {
      rankdir: "TB",
      fontname: MEASURED_FONT,
      fontcolor: COLOURS.text,
      bgcolor: "white",
      label: { html: titleLabel(deployment) },
      labelloc: "t",
      nodesep: 0.3,
      ranksep: 0.35,
      pad: 0.2,
      size: MAX_SIZE,
    },
    nodeAttributes: {
      shape: "box",
      style: "filled,rounded",
      fillcolor: "white",
      fontname: MEASURED_FONT,
      margin: "0.1,0.05",
    },
    edgeAttributes: { fontname: MEASURED_FONT, arrowsize: 0.7 },
    subgraphs: zones.map((zone) => zoneCluster(zone, model.components)),
    nodes: engineFlows.nodes,
    edges: [
      ...model.flows.filter(({ byEngine }) => byEngine !== true).map((flow) => flowEdge(flow, model)),
      ...engineFlows.edges,
    ],
  };
}

function zoneCluster(zone: Zone, components: readonly Component[]): Subgraph {
  const held: readonly DataClass[] = ZONE_HOLDS[zone];
  const boundary = held.includes("decryption-key");
  const title = boundary ? `${zone}: THE BOUNDARY` : zone;
  return {
    name: `cluster_${zone}`,
    graphAttributes: {
      label: { html: `<B>${title}</B>` },
      labeljust: "l",
      fontname: MEASURED_FONT,
      fontsize: 14,
      fontcolor: boundary ? COLOURS.secret : COLOURS.text,
      style: "filled,rounded",
      fillcolor: ZONE_FILL[zone],
      color: boundary ? COLOURS.secret : COLOURS.zoneBorder,
      penwidth: boundary ? 5 : 1,
      margin: 14,
    },
    nodes: components
      .filter((component) => component.zone === zone)
      .map((component) => ({ name: component.name, attributes: { label: { html: componentLabel(component) } } })),
  };
}

/** An edge is laid out in the order of the zones; its arrow points to who listens all the same. */
function flowEdge(flow: Flow, { components }: Model): Edge {
  const from = components.find(({ name }) => name === flow.from);
  const to = components.find(({ name }) => name === flow.to);
  const backwards = from && to && ZONES.indexOf(from.zone) > ZONES.indexOf(to.zone);
  const colour = flowColour(flow.carries);
  return {
    tail: backwards ? flow.to : flow.from,
    head: backwards ? flow.from : flow.to,
    attributes: {
      dir: backwards ? "back" : "forward",
      color: colour,
      penwidth: colour === COLOURS.secret ? 2.5 : 1.2,
      weight: colour === COLOURS.metadata ? 0 : 8,
      label: { html: flowLabel(flow, to) },
    },
  };
}

/** What the engine carries to one place, such as log lines, is one edge from one box: a dozen would hide the rest. */
function planEngineFlows({ components, flows }: Model): { nodes: Node[]; edges: Edge[] } {
  const groups = Map.groupBy(
    flows.filter(({ byEngine }) => byEngine === true),
    ({ to, port, carries }) => JSON.stringify([to, port, carries]),
  );
  const drawn = [...groups.values()].map((group, index) => {
    const [first = group[0] as Flow] = group;
    const sources = group.map(({ from }) => from);
    const everyOther = components.every(({ name }) => name === first.to || sources.includes(name));
    // Names of components have no space, so this is nobody's.
    const name = `engine ${index}`;
    const look = { style: "dotted", color: COLOURS.byEngine };
    const node: Node = { name, attributes: { ...look, label: { html: sourcesLabel(sources, everyOther) } } };
    const to = components.find((component) => component.name === first.to);
    const edge: Edge = { tail: name, head: first.to, attributes: { ...look, label: { html: flowLabel(first, to) } } };
    return { node, edge };
  });
  return { nodes: drawn.map(({ node }) => node), edges: drawn.map(({ edge }) => edge) };
}
