import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** The steps of a publish, in their order; whatever dies at one of them leaves the old file or the new one. */
export const PUBLISH_STEPS = [
  "verify",
  "write",
  "write-half",
  "sync",
  "read-back",
  "rename",
  "sync-folder",
  "read-again",
  "reload",
  "probe",
  "remember",
] as const;

/** One of {@link PUBLISH_STEPS}. */
export type PublishStep = (typeof PUBLISH_STEPS)[number];

/** A file of revocation lists that is to be replaced. */
export interface CrlFileOptions {
  readonly file: string;
  readonly text: string;
  /** Throws for a text that Mosquitto must not read. */
  readonly verify: (text: string) => void;
  /** Called before each step. */
  readonly onStep: (step: PublishStep) => void;
}

/**
 * Replaces the file that Mosquitto reads its revocation lists from. Mosquitto takes a file that is torn, empty or away, on
 * SIGHUP, as leave to accept every revoked client: so what is to be written is verified, written beside the file down to the
 * disk, read back and verified, renamed, and read and verified once more.
 */
export function publishCrlFile({ file, text, verify, onStep }: CrlFileOptions): void {
  onStep("verify");
  verify(text);
  const written = `${file}.new`;
  rmSync(written, { force: true });
  writeInHalves(written, text, onStep);
  onStep("read-back");
  verify(readFileSync(written, "utf8"));
  onStep("rename");
  renameSync(written, file);
  onStep("sync-folder");
  syncFolder(dirname(file));
  onStep("read-again");
  verify(readFileSync(file, "utf8"));
}

function writeInHalves(file: string, text: string, onStep: (step: PublishStep) => void): void {
  const bytes = Buffer.from(text);
  const half = Math.floor(bytes.length / 2);
  onStep("write");
  const descriptor = openSync(file, "wx", 0o600);
  try {
    for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) {
      for (let at = 0; at < part.length; ) at += writeSync(descriptor, part, at);
      onStep(part.byteOffset === bytes.byteOffset ? "write-half" : "sync");
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
