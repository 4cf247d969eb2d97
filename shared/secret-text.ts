/**
 * What no name, path or sentence looks like: private keys (PEM, also in base64, and age's), digests of passwords, JSON Web Tokens, and
 * the tokens of AWS, GitHub, GitLab, Slack, Google and Vault by the prefixes that their makers give them.
 */
const SECRET_TEXT = new RegExp(
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY/,
    /LS0tLS1CRUdJTi/,
    /AGE-SECRET-KEY-/,
    /\$argon2|\$2[aby]\$\d\d\$|\$scrypt\$/,
    /\beyJ[A-Za-z0-9_-]{10,}\./,
    /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
    /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,})/,
    /\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bAIza[A-Za-z0-9_-]{35}|\bhv[bsr]\.[A-Za-z0-9_-]{20,}/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

/** Words that a secret follows, where somebody wrote one into a sentence: with a digit in it, since a token may also be "kept". */
const SAID =
  /\b(?:pass(?:word|phrase|wd)?|secret|token|api[-_ ]?key|pin|credentials?)\b["']?\s*(?:is|[:=])\s*(?=\S*\d)\S{4,}/i;
/** A run of characters as keys and tokens have them. */
const RUN = /[A-Za-z0-9+/_=-]{24,}/g;
/** Bits for each character above which a run with a digit in it is nobody's word: hex has at most 4, base64 6; text has about 3. */
const BITS = 3.6;

/** Whether a text holds what looks like a private key, a digest of a password, or a token, and like nothing else. */
export function looksLikeSecret(text: string): boolean {
  return SECRET_TEXT.test(text);
}

/**
 * Whether a sentence that somebody wrote, or the value of a variable, holds a secret as far as can be told: what
 * {@link looksLikeSecret} knows, a word such as `password:` with a value that has a digit, or a run that is too random for a word. Digests and ids are
 * such runs, too: this is for places that have none.
 */
export function mayHoldSecret(text: string): boolean {
  return looksLikeSecret(text) || SAID.test(text) || isRandom(text);
}

/** Whether a text holds a run of characters that is too random for a word. */
export function isRandom(text: string): boolean {
  return (text.match(RUN) ?? []).some((run) => /\d/.test(run) && bitsOf(run) > BITS);
}

/** Entropy of a text's characters, in bits for each (C. E. Shannon, 1948). */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, many) => bits - (many / text.length) * Math.log2(many / text.length), 0);
}
