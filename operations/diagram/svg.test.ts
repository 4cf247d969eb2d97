import { describe, expect, it } from "vitest";
import type { Model } from "../../model/boundary.ts";
import { renderMermaid } from "../../model/diagram.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { EXAMPLE_MODEL } from "./example-model.ts";
import { planGraph } from "./graph.ts";
import { renderSvg } from "./svg.ts";

const deployment = { ...defaultDeployment(), engine: "docker" as const };
const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
const svg = await renderSvg(EXAMPLE_MODEL, deployment);
const titles = [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title = ""]) => title.replaceAll("&#45;", "-"));

describe("the picture", () => {
  it("shows every component in one box, and every flow that a component opens", () => {
    for (const { name } of EXAMPLE_MODEL.components) expect(titles.filter((title) => title === name)).toHaveLength(1);
    const opened = EXAMPLE_MODEL.flows.filter(({ byEngine }) => byEngine !== true);
    const edges = titles.filter((title) => title.includes("-&gt;") && !title.startsWith("engine"));
    expect(edges).toHaveLength(opened.length);
  });

  it("draws a heavy border around the boundary, and around nothing else", () => {
    expect(svg.match(/stroke-width="5"/g)).toHaveLength(1);
    expect(textsOf(svg)).toContain("decryption: THE BOUNDARY");
  });

  it("says of a flow its port, its protection and its data classes", () => {
    const graph = planGraph(EXAMPLE_MODEL, deployment);
    const labels = graph.edges?.map(({ attributes }) => JSON.stringify(attributes?.label)) ?? [];
    const kem = labels.find((label) => label.includes(">kem<"));
    for (const word of ["Unix socket", "plaintext", "ciphertext"]) expect(kem).toContain(word);
  });

  it("draws thirteen flows of the engine as one edge", () => {
    expect(textsOf(svg).filter((text) => text === "by the engine")).toHaveLength(1);
    expect(textsOf(svg)).toContain("every other component");
  });

  it("names the ends of the engine's flows where they are not all other components", async () => {
    const flows = EXAMPLE_MODEL.flows.filter(({ from, byEngine }) => byEngine !== true || from !== "custody");
    const texts = textsOf(await renderSvg({ ...EXAMPLE_MODEL, flows }, deployment));
    expect(texts).not.toContain("every other component");
    expect(texts.join(" ")).toContain("gw&#45;01, gw&#45;02");
  });

  it("is no wider than 1440 pixels", () => {
    expect(Number(/<svg width="(\d+)pt"/.exec(svg)?.[1]) * (96 / 72)).toBeLessThanOrEqual(1440);
  });

  it("is the same bytes each time, and holds no font of one machine alone", async () => {
    expect(await renderSvg(EXAMPLE_MODEL, deployment)).toBe(svg);
    const fonts = new Set([...svg.matchAll(/font-family="([^"]*)"/g)].map(([, family]) => family));
    expect([...fonts]).toEqual([expect.stringMatching(/,monospace$/)]);
  });

  it("takes a name for text, and never for markup", async () => {
    const [first, ...rest] = EXAMPLE_MODEL.components;
    const name = `<script>alert("1")</script>&`;
    const model: Model = { ...EXAMPLE_MODEL, components: [{ ...first!, name }, ...rest], flows: [] };
    const hostile = await renderSvg(model, { ...deployment, name, tenant: name });
    expect(hostile).not.toContain("<script");
    expect(textsOf(hostile).filter((text) => text?.startsWith("&lt;script&gt;alert("))).toHaveLength(2);
  });
});

describe("the flowchart", () => {
  it("dots what the engine carries, and nothing else", () => {
    const lines = renderMermaid(EXAMPLE_MODEL).split("\n");
    const byEngine = EXAMPLE_MODEL.flows.filter((flow) => flow.byEngine === true).length;
    expect(lines.filter((line) => line.includes(" -.->|"))).toHaveLength(byEngine);
    expect(lines.filter((line) => line.includes(" -->|"))).toHaveLength(EXAMPLE_MODEL.flows.length - byEngine);
    expect(lines).toContain('  c_broker -.->|"logs, unix: metadata"| c_shipper');
  });
});
