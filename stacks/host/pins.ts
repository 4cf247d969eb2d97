import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pinOf } from "./pem.ts";
import type { StoreFiles } from "./store-files.ts";

/** Pins of the broker: of the key in use, of the one after it, and of the one before it for as long as it may still be shown. */
export interface BrokerPins {
  readonly current: string | undefined;
  readonly next: string;
  readonly previous: string | undefined;
}

/** The component whose key its clients pin. */
export const PINNED = "broker";

/** Seconds for which the pin before stays accepted after a renewal: the broker has taken its new key long before. */
const PREVIOUS_SECONDS = 3_600;

/** The broker's key, the key after it, and the pin before it. */
export interface BrokerKeys {
  readonly read: () => BrokerPins;
  /** The key that the next leaf is issued for, PKCS #8 PEM. A secret. */
  readonly nextKeyPem: () => string;
  /** Puts the next key in use; the pin of the one before it stays accepted. */
  readonly promote: () => void;
  /** Makes the key after the one in use, once a leaf of that one is in place. */
  readonly settle: () => void;
  /** Takes the pin before out, at once or when its time is over. */
  readonly dropPrevious: (now?: Date) => void;
}

/**
 * Where the broker's keys are: the one in use in its secrets, the next one beside the authorities, out of the broker's sight, so
 * that who has taken the one has not the other.
 */
export function brokerKeys(dir: string, keyFile: string, files: StoreFiles): BrokerKeys {
  const nextFile = join(dir, `${PINNED}.next.key`);
  const previousFile = join(dir, `${PINNED}.previous.json`);
  const nextKeyPem = (): string => {
    if (!existsSync(nextFile)) files.write(nextFile, newKey());
    return readFileSync(nextFile, "utf8");
  };
  const read = (): BrokerPins => ({
    current: existsSync(keyFile) ? pinOf(readFileSync(keyFile, "utf8")) : undefined,
    next: pinOf(nextKeyPem()),
    previous: previousOf(previousFile)?.pin,
  });
  return {
    read,
    nextKeyPem,
    promote() {
      const { current, next } = read();
      // Where the next key is in use already, an earlier run came this far: the pin before is kept, and not overwritten.
      if (current === next) return;
      if (current !== undefined) files.write(previousFile, JSON.stringify({ pin: current, at: null }));
      files.write(keyFile, nextKeyPem());
    },
    settle() {
      const { current, next } = read();
      if (current === next) files.write(nextFile, newKey());
    },
    dropPrevious(now) {
      const previous = previousOf(previousFile);
      if (previous === undefined) return;
      if (now === undefined) files.remove(previousFile);
      else if (previous.at === null) files.write(previousFile, JSON.stringify({ ...previous, at: now.toISOString() }));
      else if (now.getTime() - Date.parse(previous.at) > PREVIOUS_SECONDS * 1000) files.remove(previousFile);
    },
  };
}

/** Every pin that clients of the broker are to accept, the one in use first. */
export function acceptedPins({ current, next, previous }: BrokerPins): readonly string[] {
  return [...new Set([current, next, previous].filter((pin) => pin !== undefined))];
}

/** What a client of the broker is given: one pin a line. */
export function renderPins(pins: BrokerPins): string {
  return acceptedPins(pins)
    .map((pin) => `${pin}\n`)
    .join("");
}

function previousOf(file: string): { readonly pin: string; readonly at: string | null } | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}
