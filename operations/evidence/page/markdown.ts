import { LAYERS, layerOf, sentenceOf } from "../../verify/checks.ts";
import { FRAMEWORKS, INDICATIVE, stateOf } from "../controls/index.ts";
import { outsideOf } from "../controls/outside.ts";
import type { Facts } from "../schema/facts-schema.ts";
import type { Shown } from "../schema/statement.ts";
import { headline, lead, minute, OUTCOME_WORDS } from "./words.ts";

/**
 * The summary, for a ticket or a mail: what came out, the boundary, what is wrong, who can administer, and what lies outside.
 * @param mermaid the picture of zones and flows, of {@link renderMermaid}
 * @param file name of the evidence that the summary is of
 */
export function renderMarkdown(shown: Shown, mermaid: string, file: string): string {
  const { verification, facts, signer, issuedAt } = shown;
  const { administrators: who, keys } = facts;
  return [
    `# ${plain(headline(shown))}`,
    "",
    plain(lead(shown)),
    "",
    `Profile ${plain(verification.profile)}, engine ${plain(verification.engine)}, region ${plain(facts.hosting.region)}. Looked at ${minute(verification.startedAt)}, signed ${minute(issuedAt)} by the key \`${signer.fingerprint}\`. Verify \`${file}\` before you believe this summary.`,
    "",
    "## The trust boundary",
    "",
    "```mermaid",
    mermaid.trimEnd(),
    "```",
    "",
    ...elsewhereLines(facts),
    ...LAYERS.flatMap((layer) => layerLines(layer, shown)),
    "## Who can administer",
    "",
    `- operator: ${plain(who.operator)}; region ${plain(facts.hosting.region)}, account ${plain(facts.hosting.account)}`,
    `- decryption keys: ${plain(keys.kind)}, class ${plain(keys.custodyClass ?? "not known")}, owner ${plain(keys.owner)}; generations: ${keys.generations.length}`,
    `- support by the vendor: ${plain(who.support.access)}; metrics for the vendor: ${facts.vendorTelemetry}; egress: ${facts.egress.mode}`,
    `- operators' certificates that are valid: ${counted(who.operatorCertificates.map(({ subject }) => subject)) || "none"}`,
    "",
    "## Controls (indicative)",
    "",
    plain(INDICATIVE),
    "",
    ...FRAMEWORKS.map(({ name, controls }) => {
      const held = controls.filter((control) => stateOf(control, verification.results) === "held").length;
      return `- ${plain(name)}: the checks of ${held} of ${controls.length} controls hold`;
    }),
    "",
    "## What lies outside",
    "",
    ...outsideOf(facts).map(({ what, why }) => `- ${plain(what)}: ${plain(why)}`),
    "",
  ].join("\n");
}

function elsewhereLines(facts: Facts): readonly string[] {
  if (!("elsewhere" in facts) || facts.elsewhere.length === 0) return [];
  const parts = facts.elsewhere.map(({ component, zone, host }) => {
    return `${plain(component)} (zone ${plain(zone)}${host === null ? "" : `, at ${plain(host)}`})`;
  });
  return [`Somebody else runs, and nobody looked inside of: ${parts.join(", ")}.`, ""];
}

function layerLines(
  layer: (typeof LAYERS)[number],
  { verification: { results, layers, engine } }: Shown,
): readonly string[] {
  if (!layers.includes(layer)) return [`## Layer ${layer}`, "", "Left out.", ""];
  const own = results.filter(({ id }) => layerOf(id) === layer);
  return [
    `## Layer ${layer}`,
    "",
    "| check | outcome | seen |",
    "|---|---|---|",
    ...own.map(
      ({ id, outcome, seen }) => `| ${plain(sentenceOf(id, engine))} | ${OUTCOME_WORDS[outcome]} | ${plain(seen)} |`,
    ),
    "",
    ...own.flatMap(({ findings }) =>
      findings.map(({ path, message, fix }) => `- **${plain(path)}**: ${plain(message)}; to mend it: ${plain(fix)}`),
    ),
    "",
  ];
}

/** Each name once, with how often it is there. */
function counted(names: readonly string[]): string {
  const times = Map.groupBy(names, (name) => name);
  return [...times].map(([name, { length }]) => plain(length === 1 ? name : `${name} (${length})`)).join(", ");
}

/** Between two characters that would make a link together; it has no width (Unicode, U+2060 WORD JOINER). */
const JOINER = "\u2060";

/**
 * Text that Markdown takes as text: no HTML, and no address or name that a reader would make a link or a mention of. Those are looked
 * for after entities were read, so a character that is not to be seen takes them apart.
 */
function plain(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>()#!|&~]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/@|:(?=\/\/)|\bwww(?=\.)/gi, (start) => `${start}${JOINER}`);
}
