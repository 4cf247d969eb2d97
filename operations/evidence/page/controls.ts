import { FRAMEWORKS, INDICATIVE, stateOf } from "../controls/index.ts";
import { outsideOf } from "../controls/outside.ts";
import type { Facts } from "../schema/facts-schema.ts";
import type { Shown } from "../schema/statement.ts";
import { code, html, type Markup, table } from "./markup.ts";
import { OUTCOME_WORDS } from "./words.ts";

/** The indicative mapping, framework by framework. */
export function controlsSection({ verification: { results } }: Shown): Markup {
  const parts = FRAMEWORKS.map(({ name, edition, controls, notLookedAt }) => {
    const rows = controls.map((control) => {
      const state = stateOf(control, results);
      return [
        html`${control.id}<br>${control.title}`,
        html`<span class="${state}">${OUTCOME_WORDS[state]}</span>`,
        control.checks.map((check) => html`${code(check)} `),
        control.why,
      ];
    });
    return html`<h3>${name}</h3><p class="note">${edition}. Not looked at: ${notLookedAt}.</p>
${table(`${name}: checks that would fail`, ["control", "checks", "which", "what they hold"], rows)}`;
  });
  return html`<section><h2 id="s-controls">Controls (indicative)</h2><p class="note">${INDICATIVE}</p>${parts}</section>\n`;
}

/** What nobody may read into this. */
export function outsideSection(facts: Facts): Markup {
  const items = outsideOf(facts).map(({ what, why }) => html`<li><strong>${what}</strong>: ${why}</li>`);
  return html`<section><h2 id="s-outside">What lies outside</h2><p>No check looked at any of this.</p><ul>${items}</ul></section>\n`;
}
