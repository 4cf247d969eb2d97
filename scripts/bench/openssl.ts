import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What this machine's OpenSSL does on one core. */
export interface OpensslSpeed {
  readonly version: string;
  /** ECDSA P-256 verifications per second. */
  readonly verify: number;
  /** X25519 operations per second. */
  readonly x25519: number;
}

const run = promisify(execFile);

/** Runs `openssl speed ecdsap256 ecdhx25519`. */
export async function opensslSpeed(seconds: number): Promise<OpensslSpeed> {
  const { stdout } = await run("openssl", ["speed", "-seconds", String(seconds), "ecdsap256", "ecdhx25519"]);
  const last = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  return {
    version: (await run("openssl", ["version"])).stdout.split(" (")[0]?.trim() ?? "",
    verify: last(/ecdsa \(nistp256\)(?:\s+\S+){3}\s+([\d.]+)/),
    x25519: last(/ecdh \(X25519\)\s+\S+\s+([\d.]+)/),
  };
}

/** Messages per second that one core could verify and open if it did nothing else: 1/(1/verify + 1/x25519). */
export function coreLimit({ verify, x25519 }: OpensslSpeed): number {
  return 1 / (1 / verify + 1 / x25519);
}
