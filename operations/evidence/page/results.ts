import type { Finding } from "../../../shared/finding.ts";
import { CHECKS, LAYERS, layerOf } from "../../verify/checks.ts";
import type { Predicate } from "../schema/statement.ts";
import { code, html, type Markup, table } from "./markup.ts";
import { OUTCOME_WORDS } from "./words.ts";

const ABOUT = {
  model: "What may reach what, by the components and flows of the deployment, before anything runs.",
  rendered: "What the engine is told to make, and was told at the last deploy.",
  running: "What runs, tried from inside of every container.",
  data: "Where the plaintext of one marked message of a sensor is found.",
} as const;

/** Every check of every layer, and below each layer what is wrong. */
export function resultsSection({ verification: { results, layers } }: Predicate): Markup {
  const parts = LAYERS.map((layer) => {
    if (!layers.includes(layer)) return html`<h3>${layer}</h3><p class="not-proven">This layer was left out.</p>`;
    const own = results.filter(({ id }) => layerOf(id) === layer);
    const rows = own.map(({ id, outcome, seen, reportOnly }) => [
      html`${CHECKS[id]}<br><code>${id}</code>`,
      html`<span class="${outcome}">${OUTCOME_WORDS[outcome]}${reportOnly === true ? " (reported)" : ""}</span>`,
      seen,
    ]);
    const found = own.flatMap(({ findings }) => findings as readonly Finding[]);
    return html`<h3>${layer}</h3><p class="note">${ABOUT[layer]}</p>
${table(`Checks of the layer ${layer}`, ["check", "outcome", "seen"], rows)}${found.length === 0 ? "" : findingList(found)}`;
  });
  return html`<section><h2 id="s-results">Results</h2>${parts}</section>\n`;
}

function findingList(findings: readonly Finding[]): Markup {
  const items = findings.map(
    ({ code: id, path, message, fix }) =>
      html`<li>${code(path)}: ${message} (${code(id)})<br><span class="note">fix: ${fix}</span></li>`,
  );
  return html`<h4>Findings</h4><ul class="findings">${items}</ul>`;
}
