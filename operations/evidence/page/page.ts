import { createHash } from "node:crypto";
import type { Shown } from "../schema/statement.ts";
import { controlsSection, outsideSection } from "./controls.ts";
import { elsewhereTable } from "./elsewhere.ts";
import { engineWords } from "./engine-words.ts";
import { code, html, Markup, pairs } from "./markup.ts";
import { peopleSection } from "./people.ts";
import { profileSection } from "./profile.ts";
import { resultsSection } from "./results.ts";
import { certificatesSection, imagesSection, keysSection } from "./software.ts";
import { STYLE } from "./style.ts";
import { headline, lead, minute, placeWords } from "./words.ts";

const CONTENTS = [
  ["boundary", "The trust boundary"],
  ["results", "Results"],
  ["profile", "Profile"],
  ["people", "Who can administer"],
  ["keys", "Decryption keys"],
  ["certificates", "Certificates"],
  ["images", "Images and versions"],
  ["controls", "Controls (indicative)"],
  ["outside", "What lies outside"],
] as const;

/**
 * One self-contained page: no script, nothing that is loaded, light and dark, and for paper. Equal evidence gives equal bytes.
 * @param svg the picture of zones and flows, of {@link renderSvg}
 * @param file name of the evidence that the page is of
 */
export function renderPage(shown: Shown, svg: string, file: string): string {
  const { verification, facts, signer, issuedAt, verdict } = shown;
  const style = createHash("sha256").update(STYLE).digest("base64");
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${new Markup(style)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${headline(shown)}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1 class="${verdict}">${headline(shown)}</h1>
<p class="lead">${lead(shown)}</p>
${pairs([
  ["profile", verification.profile],
  ["engine", verification.engine],
  ["region", facts.hosting.region],
  ["looked at", `${minute(verification.startedAt)} to ${minute(verification.endedAt)}`],
  ["signed", minute(issuedAt)],
  [
    "signed by the key, SHA-256",
    html`${code(signer.fingerprint)} (${placeWords(signer.place, engineWords(facts).keyHere)})`,
  ],
])}
<p class="note">This page is a picture of ${code(file)}, which is what is signed. Before you believe the page, verify the file:
${code(`trustkern evidence verify ${file} --fingerprint ${signer.fingerprint}`)}, with the fingerprint as you got it from whoever signs and not from here.</p>
</header>
<nav aria-label="Contents"><ul>${CONTENTS.map(([id, title]) => html`<li><a href="#s-${id}">${title}</a></li>`)}</ul></nav>
<main>
<section><h2 id="s-boundary">The trust boundary</h2>
<figure><div>${inlineSvg(svg, verification.deployment)}</div>
<figcaption class="note">Zones, components and flows. Plaintext and decryption keys stay inside of the zone with the thick border.</figcaption></figure>${elsewhereTable(facts)}</section>
${resultsSection(shown)}${profileSection(shown)}${peopleSection(facts)}${keysSection(facts)}${certificatesSection(facts)}${imagesSection(facts)}${controlsSection(shown)}${outsideSection(facts)}${unknownSection(shown)}</main>
</body>
</html>
`;
  return page.text;
}

function unknownSection({ facts: { unknown } }: Shown): Markup {
  if (unknown.length === 0) return html``;
  const items = unknown.map(({ fact, code: why }) => html`<li>${fact}: ${code(why)}</li>`);
  return html`<section><h2>What could not be asked</h2><ul>${items}</ul></section>\n`;
}

/** The picture without its XML head, as HTML takes it. */
function inlineSvg(svg: string, deployment: string): Markup {
  const inner = svg.slice(svg.indexOf("<svg") + "<svg".length);
  const label = html`<svg role="img" aria-label="Zones, components and flows of ${deployment}"`;
  return new Markup(label.text + inner);
}
