/** So many characters of a secret in a row are no accident. */
const PIECE = 12;

/**
 * An API server's refusal of an object, without its words where they repeat what a Secret holds, as those of an admission webhook can.
 * @returns every other body as it is
 */
export function withoutSecrets(body: unknown, status: number, object: { readonly kind: string }): unknown {
  if (object.kind !== "Secret" || status < 400) return body;
  const { data = {} } = object as { readonly data?: Readonly<Record<string, string>> };
  const said = JSON.stringify(body);
  const values = Object.values(data).flatMap((value) => [value, JSON.stringify(fromBase64(value)).slice(1, -1)]);
  if (!values.some((value) => repeats(said, value))) return body;
  return { message: `HTTP ${status}, in words that are not shown: they repeat what the Secret holds` };
}

/** Whether a piece of a value is in a text, as far as that was cut off or began in its middle. */
function repeats(text: string, value: string): boolean {
  if (value.length <= PIECE) return value !== "" && text.includes(value);
  for (let from = 0; from + PIECE <= value.length; from += 1) {
    if (text.includes(value.slice(from, from + PIECE))) return true;
  }
  return false;
}

function fromBase64(value: string): string {
  return Buffer.from(value, "base64").toString("utf8");
}
