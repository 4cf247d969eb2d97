import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CompactEncrypt, compactDecrypt } from "jose";
import { hostErrors } from "./errors.ts";
import { writePrivate } from "./files.ts";

/** Iterations of PBKDF2 (RFC 7518, section 4.8): about a quarter of a second. */
const ITERATIONS = 600_000;

/** Where the operators' key is, and what opens it. */
export interface OperatorsKeyPlace {
  readonly authoritiesDir: string;
  readonly passphrase: () => string;
}

/**
 * The public half of the key that operators get their certificates with, PEM; makes the key where there is none. The private
 * half is encrypted, and on no machine of the deployment but this one.
 * @throws STATE_UNWRITABLE, STATE_CORRUPT
 */
export async function operatorsPublicKey(place: OperatorsKeyPlace): Promise<string> {
  const [privateFile, publicFile] = filesOf(place);
  if (existsSync(privateFile) && existsSync(publicFile)) return readFileSync(publicFile, "utf8");
  const keyPem = existsSync(privateFile) ? await openOperatorsKey(place) : await makeKey(place, privateFile);
  const publicPem = createPublicKey(keyPem).export({ format: "pem", type: "spki" }).toString();
  writePrivate(publicFile, publicPem);
  return publicPem;
}

/**
 * The private key that a token of the provisioner `operators` is signed with, PKCS #8 PEM. A secret.
 * @throws STATE_CORRUPT when it is missing, damaged, or the passphrase is not the one that it was made with
 */
export async function openOperatorsKey(place: OperatorsKeyPlace): Promise<string> {
  const [path] = filesOf(place);
  try {
    const secret = new TextEncoder().encode(place.passphrase());
    const options = { maxPBES2Count: ITERATIONS, keyManagementAlgorithms: ["PBES2-HS512+A256KW"] };
    const { plaintext } = await compactDecrypt(readFileSync(path, "utf8"), secret, options);
    return new TextDecoder().decode(plaintext);
  } catch {
    throw hostErrors.error("STATE_CORRUPT", "the operators' key is missing, damaged, or of another passphrase", {
      path,
    });
  }
}

async function makeKey({ passphrase }: OperatorsKeyPlace, path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyPem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const sealed = await new CompactEncrypt(new TextEncoder().encode(keyPem))
    .setProtectedHeader({ alg: "PBES2-HS512+A256KW", enc: "A256GCM" })
    .setKeyManagementParameters({ p2c: ITERATIONS })
    .encrypt(new TextEncoder().encode(passphrase()));
  writePrivate(path, sealed);
  return keyPem;
}

function filesOf({ authoritiesDir }: OperatorsKeyPlace): [privateFile: string, publicFile: string] {
  return [join(authoritiesDir, "operators.jwe"), join(authoritiesDir, "operators.jwe.pub")];
}
