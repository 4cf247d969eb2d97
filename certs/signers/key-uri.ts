import { signersErrors } from "./errors.ts";
import type { DeviceKeyRef } from "./key-place.ts";

const ACCEPTED = { pkcs11: "token, object, module-path, pin-source", tpm2: "device, file" } as const;

/**
 * The key that a URI names: `pkcs11:token=T;object=LABEL?module-path=LIBRARY&pin-source=FILE` (RFC 7512, and of its attributes these
 * four alone: never a PIN), or `tpm2:device=/dev/tpmrm0;file=FILE` in the same form.
 * @returns undefined for what is no such URI, such as the path of a file
 * @throws SIGNER_URI_INVALID
 */
export function parseKeyUri(uri: string): DeviceKeyRef | undefined {
  const scheme = /^(pkcs11|tpm2):/.exec(uri)?.[1];
  if (scheme === undefined) return undefined;
  const attributes = attributesOf(uri.slice(scheme.length + 1));
  const take = (name: string): string => {
    const value = attributes.get(name);
    attributes.delete(name);
    if (value) return value;
    throw invalid(`"${name}" is missing`);
  };
  const path = (name: string): string => {
    const value = take(name).replace(/^file:(?:\/\/)?/, "");
    if (value.startsWith("/")) return value;
    throw invalid(`"${name}" is no absolute path`);
  };
  const ref: DeviceKeyRef =
    scheme === "tpm2"
      ? { kind: "tpm2", device: path("device"), file: path("file") }
      : {
          kind: "pkcs11",
          token: take("token"),
          label: take("object"),
          module: path("module-path"),
          pinFile: path("pin-source"),
        };
  const [other] = attributes.keys();
  if (other === undefined) return ref;
  throw invalid(`"${other}" is not accepted; accepted: ${ACCEPTED[ref.kind === "tpm2" ? "tpm2" : "pkcs11"]}`);
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const part of text.split(/[;?&]/)) {
    const [, name, value] = /^([a-z-]+)=(.*)$/s.exec(part) ?? [];
    // What cannot be read may be a PIN: nothing of it is shown.
    if (name === undefined || value === undefined) throw invalid("it is not made of NAME=VALUE");
    if (attributes.has(name)) throw invalid(`"${name}" is there twice`);
    attributes.set(name, decoded(value, name));
  }
  return attributes;
}

function decoded(value: string, name: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw invalid(`"${name}" has a % that begins no character`);
  }
}

function invalid(why: string) {
  return signersErrors.error("SIGNER_URI_INVALID", `the URI names no key: ${why}`);
}
