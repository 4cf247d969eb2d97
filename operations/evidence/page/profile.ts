import type { Shown } from "../schema/statement.ts";
import { code, html, type Markup, table } from "./markup.ts";
import { OUTCOME_WORDS } from "./words.ts";

/** Every line of the profile, what the file says, and what a running system has to keep. */
export function profileSection({ facts, verification }: Shown): Markup {
  const lines = facts.profileLines.map(({ topic, path, accepted, value, kept, reason }) => [
    html`${topic}<br>${code(path)}`,
    html`<span class="${kept ? "proven" : "broken"}">${kept ? "kept" : "BROKEN"}</span>`,
    value,
    accepted,
    reason,
  ]);
  const held = facts.profileAssurances.map(({ topic, heldBy, accepted, reason }) => {
    const outcome = verification.results.find(({ id }) => id === heldBy)?.outcome;
    const state = outcome === undefined ? "" : html`<br><span class="${outcome}">${OUTCOME_WORDS[outcome]}</span>`;
    return [topic, html`${code(heldBy)}${state}`, accepted, reason];
  });
  return html`<section><h2 id="s-profile">Profile ${verification.profile}</h2>
${table("Lines that the deployment file keeps", ["line", "kept", "it says", "accepted", "because"], lines)}
${table("Lines that no file can keep, and what holds them", ["topic", "held by", "accepted", "because"], held)}</section>
`;
}
