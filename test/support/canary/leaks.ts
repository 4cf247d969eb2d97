import { createPrivateKey } from "node:crypto";

/** A secret, as it lies in its file. */
export type Value = { readonly text: string } | { readonly pem: string };

/** A way to leak it, and the bytes that then lie about. */
export type Leak = readonly [how: string, bytes: Buffer];

/**
 * How a program gives a secret away by accident: as it is, or encoded with something before and after it. Made without the
 * search's own rules.
 */
export function leaksOf(value: Value): readonly Leak[] {
  if ("text" in value) {
    return [["as it is", Buffer.from(`PASSWORD=${value.text};`)], ...encoded("", Buffer.from(value.text))];
  }
  const key = createPrivateKey(value.pem);
  const der = key.export({ format: "der", type: "pkcs8" });
  const { d = "" } = key.export({ format: "jwk" });
  return [
    ["as PEM", Buffer.from(value.pem)],
    ["as PEM in JSON", Buffer.from(JSON.stringify({ key: value.pem }))],
    ["as one line of its PEM", Buffer.from(value.pem.split("\n")[1] ?? "")],
    ["as the number alone", Buffer.from(d, "base64url")],
    ["as JWK", Buffer.from(JSON.stringify(key.export({ format: "jwk" })))],
    ["as DER", der],
    ...encoded("DER ", der),
    ...encoded("PEM ", Buffer.from(value.pem)),
  ];
}

/** Whether a leak fits into an environment, a label, a line. */
export function isText(leak: Buffer): boolean {
  return leak.equals(Buffer.from(leak.toString("utf8")));
}

function encoded(prefix: string, bytes: Buffer): readonly Leak[] {
  const inBase64 = ([0, 1, 2] as const).flatMap((before) => {
    const within = Buffer.concat([Buffer.from("{}".slice(0, before)), bytes, Buffer.from("}\n")]);
    return (["base64", "base64url"] as const).map(
      (alphabet): Leak => [`${prefix}in ${alphabet}, ${before} bytes in`, Buffer.from(within.toString(alphabet))],
    );
  });
  return [
    ...inBase64,
    [`${prefix}in hex`, Buffer.from(bytes.toString("hex"))],
    [`${prefix}in upper-case hex`, Buffer.from(bytes.toString("hex").toUpperCase())],
    [`${prefix}as a Buffer in JSON`, Buffer.from(JSON.stringify(bytes))],
  ];
}
