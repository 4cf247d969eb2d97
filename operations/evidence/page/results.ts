import type { Finding } from "../../../shared/finding.ts";
import { LAYERS, layerOf, sentenceOf } from "../../verify/checks.ts";
import type { Shown } from "../schema/statement.ts";
import { engineWords } from "./engine-words.ts";
import { code, html, type Markup, table } from "./markup.ts";
import { OUTCOME_WORDS } from "./words.ts";

/** Every check of every layer, and below each layer what is wrong. */
export function resultsSection({ verification: { results, layers, engine }, facts }: Shown): Markup {
  const { about } = engineWords(facts);
  const parts = LAYERS.map((layer) => {
    if (!layers.includes(layer)) return html`<h3>${layer}</h3><p class="not-proven">This layer was left out.</p>`;
    const own = results.filter(({ id }) => layerOf(id) === layer);
    const rows = own.map(({ id, outcome, seen, reportOnly }) => [
      html`${sentenceOf(id, engine)}<br><code>${id}</code>`,
      html`<span class="${outcome}">${OUTCOME_WORDS[outcome]}${reportOnly === true ? " (reported)" : ""}</span>`,
      seen,
    ]);
    const found = own.flatMap(({ findings }) => findings as readonly Finding[]);
    return html`<h3>${layer}</h3><p class="note">${about[layer]}</p>
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
