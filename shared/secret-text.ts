const SECRET_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY|LS0tLS1CRUdJTi|AGE-SECRET-KEY-|\$argon2|\beyJ[A-Za-z0-9_-]{10,}\./;

/** Whether a text holds what looks like a private key, a digest of a password, or a token. */
export function looksLikeSecret(text: string): boolean {
  return SECRET_TEXT.test(text);
}
