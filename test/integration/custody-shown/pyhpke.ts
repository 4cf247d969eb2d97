import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonWith } from "../../support/python.ts";
import { runProgram } from "../../support/run.ts";

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");

/** A vector of RFC 9180, appendix A.1.1; all in hexadecimal. */
export interface Rfc9180Vector {
  readonly info: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
  readonly key: string;
  readonly base_nonce: string;
  readonly encryptions: readonly Readonly<Record<"aad" | "ct" | "nonce" | "pt", string>>[];
}

const MEMBERS = ["enc", "info", "aad", "ciphertext", "plaintext"] as const;

/** A message that pyhpke sealed, and what it is. */
export type Sealed = Readonly<Record<(typeof MEMBERS)[number], Buffer>>;

/** Every vector of the suite of envelopes in base mode, as PyPI's `cryptography_vectors` has them. */
export async function rfc9180Vectors(): Promise<readonly Rfc9180Vector[]> {
  const { code, stdout, stderr } = await runProgram(await python(), program("rfc9180.py"));
  if (code !== 0) throw new Error(`rfc9180.py ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/**
 * Random messages that pyhpke seals meanwhile: plaintexts of 0 to 1,024 bytes, `aad` of 0 to 256, and `info` of telemetry
 * or 0 to 64 random bytes.
 * @param publicKey raw, lower-case hex
 */
export async function* sealedByPyhpke(
  publicKey: string,
  { count, batch }: { readonly count: number; readonly batch: number },
): AsyncIterable<readonly Sealed[]> {
  const args = [...program("seal.py"), publicKey, String(count), String(batch)];
  const child = spawn(await python(), args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  try {
    for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line).map(decoded);
  } finally {
    child.kill();
    await ended;
  }
}

function decoded(message: Readonly<Record<keyof Sealed, string>>): Sealed {
  return Object.fromEntries(MEMBERS.map((name) => [name, Buffer.from(message[name], "base64")])) as Record<
    keyof Sealed,
    Buffer
  >;
}

function program(name: string): readonly string[] {
  return ["-I", join(import.meta.dirname, name)];
}

function python(): Promise<string> {
  return pythonWith("pyhpke-0.6.5", REQUIREMENTS);
}
