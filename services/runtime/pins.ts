import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { TrustKernError } from "../../shared/errors.ts";
import { runtimeErrors } from "./errors.ts";

const PIN = /^[0-9a-f]{64}$/;
const MAX_PINS = 16;

/** Where a pinned broker is. */
export interface PinnedTarget {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  /** Read at each connect. @default the name alone is checked */
  readonly pinsFile?: string | undefined;
  /** Pins that go before the file's; an empty list leaves it to the file. @default none */
  readonly pins?: () => readonly string[];
}

/** Options of `tls.connect` and `mqtt.connect` that look at name and key of the server. */
export interface PinnedOptions {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
}

/**
 * Options for a connection to the broker, to be spread behind those with the certificate: the server's certificate has to carry
 * the name (RFC 6125), and its public key one of the pins. A certificate that is renewed with the same key keeps its pin.
 *
 * The check's error is BROKER_PIN_MISMATCH, or BROKER_PINS_INVALID where there is no list to look at: no connection then.
 */
export function pinnedConnect({ host, port, servername, pinsFile, pins }: PinnedTarget): PinnedOptions {
  return {
    host,
    port,
    servername,
    checkServerIdentity: (_, certificate) => {
      const misnamed = checkServerIdentity(servername, certificate);
      if (misnamed) return misnamed;
      const published = pins?.() ?? [];
      if (pinsFile === undefined && published.length === 0) return undefined;
      try {
        const accepted = published.length > 0 ? published : readPins(pinsFile ?? "");
        return pinProblem(new X509Certificate(certificate.raw).publicKey, accepted, servername);
      } catch (thrown) {
        return thrown as Error;
      }
    },
  };
}

/** Whether a connection failed at the broker's pins. */
export function isPinProblem(error: unknown): error is TrustKernError {
  return (
    error instanceof TrustKernError && (error.code === "BROKER_PIN_MISMATCH" || error.code === "BROKER_PINS_INVALID")
  );
}

/** The pin of a public key: SHA-256 over its SubjectPublicKeyInfo (RFC 7469, section 2.4), lower-case hex. */
export function pinOf(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ format: "der", type: "spki" }))
    .digest("hex");
}

/**
 * The pins of a file, at least one.
 * @throws BROKER_PINS_INVALID
 */
export function readPins(path: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw runtimeErrors.error("BROKER_PINS_INVALID", "the pins cannot be read", { path, cause });
  }
  const lines = text.split("\n").map((line) => line.trim());
  const pins = lines.filter((line) => line !== "");
  if (pins.length >= 1 && pins.length <= MAX_PINS && pins.every((pin) => PIN.test(pin))) return pins;
  const message = `${pins.length} lines, ${pins.filter((pin) => PIN.test(pin)).length} of them pins; accepted: 1 to ${MAX_PINS} pins and nothing else`;
  throw runtimeErrors.error("BROKER_PINS_INVALID", message, { path });
}

/** Pins that the next connection is held to, newest word first; none where the name alone is checked, or the list is damaged. */
export function pinsInForce({ pinsFile, pins }: Pick<PinnedTarget, "pinsFile" | "pins">): readonly string[] {
  const published = pins?.() ?? [];
  if (published.length > 0 || pinsFile === undefined) return published;
  try {
    return readPins(pinsFile);
  } catch {
    return [];
  }
}

function pinProblem(key: KeyObject, accepted: readonly string[], servername: string): Error | undefined {
  const pin = pinOf(key);
  if (accepted.includes(pin)) return undefined;
  const message = `the key of ${servername} has the pin ${pin}, which is none of ${accepted.length} that are published`;
  return runtimeErrors.error("BROKER_PIN_MISMATCH", message, { path: "broker" });
}
