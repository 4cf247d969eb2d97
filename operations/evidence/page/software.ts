import type { Facts } from "../schema/facts-schema.ts";
import { engineWords } from "./engine-words.ts";
import { code, html, type Markup, pairs, table } from "./markup.ts";
import { minute } from "./words.ts";

/** The decryption keys by their ids; no key is here. */
export function keysSection({ keys }: Facts): Markup {
  const rows = keys.generations.map(
    ({ keyId, state, origin, createdAt, activatedAt, retiredAt, destroyedAt, compromised }) => [
      code(keyId),
      compromised ? `${state}, compromised` : state,
      origin,
      ...[createdAt, activatedAt, retiredAt, destroyedAt].map((at) => (at === null ? "" : minute(at))),
    ],
  );
  const sealed = keys.sealed === null ? "custody did not answer" : keys.sealed ? "sealed" : "unsealed";
  return html`<section><h2 id="s-keys">Decryption keys</h2>
${pairs([
  ["kind of custody", keys.kind],
  ["class, as custody says", keys.custodyClass ?? "not known"],
  ["class that is asked for", keys.leastClass],
  ["owner", keys.owner],
  ["custody", sealed],
  ["list held against custody's log", keys.verified ? "yes" : "no"],
  ...(keys.acceptSoftware === null ? [] : [["why software is accepted", keys.acceptSoftware] as const]),
])}${table("Generations, by the id of their key", ["key id", "state", "origin", "made", "active", "retired", "destroyed"], rows)}</section>
`;
}

/** Authorities and leaves, by their fingerprints. */
export function certificatesSection(facts: Facts): Markup {
  const { certificates } = facts;
  const rows = certificates.map(({ subject, class: of, issuer, serial, sha256, notAfter, state }) => [
    html`${subject}<br>${code(sha256)}`,
    of,
    issuer,
    code(serial),
    minute(notAfter),
    state,
  ]);
  return html`<section><h2 id="s-certificates">Certificates</h2>
${table(`Authorities and leaves on ${engineWords(facts).here}, with the SHA-256 of each`, ["certificate", "class", "issuer", "serial", "until", "state"], rows)}</section>
`;
}

/** What runs, by digest, and what made and looked at it. */
export function imagesSection(facts: Facts): Markup {
  const { images, imageSource, imageSigner, mirror, versions, stack, diagram } = facts;
  const words = engineWords(facts);
  const rows = images.map(({ name, reference, digest }) => [
    name,
    reference,
    digest === null ? html`<span class="not-proven">not locked</span>` : code(digest),
  ]);
  return html`<section><h2 id="s-images">Images and versions</h2>
${pairs([
  ["toolkit", versions.toolkit],
  ["Node.js", versions.node],
  ...words.versions,
  ["source of images", imageSource],
  ["mirror", mirror ?? "none"],
  ["key that signed the images", imageSigner === null ? "none is asked for" : code(imageSigner)],
  [words.stack, code(stack)],
  ["picture, SHA-256", code(diagram)],
])}${table("Images of the deployment", ["name", "reference", "digest"], rows)}</section>
`;
}
