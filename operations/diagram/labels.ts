import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Flow } from "../../model/flow.ts";
import { DATA_CLASSES, type DataClass, type Protection } from "../../model/zones.ts";
import { COLOURS, SECRET_CLASSES } from "./palette.ts";

const PROTECTION_WORDS: Readonly<Record<Protection, string>> = {
  mtls: "mTLS",
  tls: "TLS",
  unix: "Unix socket",
  loopback: "loopback",
  envelope: "sealed envelope",
};

const LEGEND: readonly (readonly [colour: string, sign: string, meaning: string])[] = [
  [COLOURS.secret, "---", "carries plaintext or a decryption key"],
  [COLOURS.ciphertext, "---", "carries ciphertext"],
  [COLOURS.metadata, "---", "carries metadata or credentials alone"],
  [COLOURS.byEngine, "...", "carried by the engine itself"],
];

/** Text that XML and Graphviz's HTML-like labels take as text. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A component's box: its name, its ports, and what it holds. */
export function componentLabel({ name, holds, ports }: Component): string {
  const listens = ports.map((port) => `${port.name} ${port.port}${port.publish === true ? " published" : ""}`);
  return table([
    `<B><FONT POINT-SIZE="12">${escapeXml(name)}</FONT></B>`,
    ...listens.map((text) => small(escapeXml(text), COLOURS.muted)),
    ...classLines(holds, 2),
  ]);
}

/** A flow's words: where it goes, how it is protected, and what it carries. */
export function flowLabel({ port, protection, carries, byEngine }: Flow, to: Component | undefined): string {
  const number = protection === "unix" ? undefined : to?.ports.find(({ name }) => name === port)?.port;
  const where = number === undefined ? port : `${port} ${number}`;
  const how = byEngine === true ? "by the engine" : PROTECTION_WORDS[protection];
  const lines = [where, how].map((text) => small(escapeXml(text), COLOURS.text));
  return table([...lines, ...classLines(carries, 1)]);
}

/** The ends of what the engine carries, in one box: their names, or a word for all of them. */
export function sourcesLabel(names: readonly string[], everyOther: boolean): string {
  if (everyOther) return table([small("every other component", COLOURS.muted)]);
  return table(inLines(names.map(escapeXml), 4).map((line) => small(line, COLOURS.muted)));
}

/** The title, and the legend below it. */
export function titleLabel({ name, tenant, profile, engine }: Deployment): string {
  const entry = ([colour, sign, meaning]: (typeof LEGEND)[number]): string =>
    `<TD ALIGN="LEFT"><FONT COLOR="${colour}"><B>${sign}</B></FONT> ${meaning}</TD>`;
  const rows = [LEGEND.slice(0, 2), LEGEND.slice(2)].map((entries) => `<TR>${entries.map(entry).join("")}</TR>`);
  return table(
    [
      `<FONT POINT-SIZE="20"><B>${escapeXml(name)}</B></FONT>`,
      `<FONT POINT-SIZE="12">tenant ${escapeXml(tenant)}, profile ${profile}, engine ${engine}</FONT>`,
      `<FONT POINT-SIZE="10"><TABLE BORDER="0" CELLSPACING="0" CELLPADDING="4">${rows.join("")}</TABLE></FONT>`,
      small("an arrow points to who listens; data may travel both ways", COLOURS.muted),
    ],
    "CENTER",
  );
}

/** In the order of the model; what may not leave the boundary stands first, in colour and bold. */
function classLines(classes: readonly DataClass[], perLine: number): string[] {
  const ordered = DATA_CLASSES.filter((known) => classes.includes(known));
  const isSecret = (dataClass: DataClass): boolean => SECRET_CLASSES.includes(dataClass);
  const secret = inLines(ordered.filter(isSecret), perLine).map((line) => `<B>${small(line, COLOURS.secret)}</B>`);
  const others = inLines(
    ordered.filter((dataClass) => !isSecret(dataClass)),
    perLine,
  ).map((line) => small(line, COLOURS.text));
  return [...secret, ...others];
}

function inLines(words: readonly string[], perLine: number): string[] {
  const count = Math.ceil(words.length / perLine);
  return Array.from({ length: count }, (_, line) => words.slice(line * perLine, (line + 1) * perLine).join(", "));
}

function small(html: string, colour: string): string {
  return `<FONT POINT-SIZE="9" COLOR="${colour}">${html}</FONT>`;
}

function table(rows: readonly string[], align: "LEFT" | "CENTER" = "LEFT"): string {
  const cells = rows.map((row) => `<TR><TD ALIGN="${align}">${row}</TD></TR>`);
  return `<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">${cells.join("")}</TABLE>`;
}
