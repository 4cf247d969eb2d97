import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { armor, Decrypter, Encrypter } from "age-encryption";
import { writeFileAtomic } from "../../shared/atomic-file.ts";
import { messageOf } from "../../shared/errors.ts";
import { signersErrors } from "./errors.ts";
import type { Curve, KeySigner } from "./signer.ts";

/** A private key in a file of its own, encrypted with a passphrase (age, scrypt, armored): `age -d FILE` opens it. */
export interface AgeKeyFile {
  readonly file: string;
  readonly passphrase: string;
  /** Base-2 logarithm of scrypt's N, 1..22. @default 18 */
  readonly workFactor?: number | undefined;
}

const NODE_CURVES: Readonly<Record<string, Curve>> = { prime256v1: "P-256", secp384r1: "P-384" };

/**
 * A signer of a PKCS #8 PEM key. What the PEM holds reaches no error.
 * @throws SIGNER_KEY_CORRUPT
 */
export async function loadPemSigner(pem: string, where: string): Promise<KeySigner> {
  const key = parsePem(pem, where);
  const curve = NODE_CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (curve === undefined) {
    throw signersErrors.error("SIGNER_KEY_CORRUPT", "the private key is not on P-256 or P-384", { path: where });
  }
  const algorithm = { name: "ECDSA", namedCurve: curve } as const;
  const publicKeySpki = createPublicKey(key).export({ format: "der", type: "spki" });
  const pkcs8 = key.export({ format: "der", type: "pkcs8" });
  return {
    publicKeySpki,
    curve,
    publicKey: await webcrypto.subtle.importKey("spki", publicKeySpki, algorithm, true, ["verify"]),
    signingKey: await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
    crypto: webcrypto as webcrypto.Crypto,
    where,
    close: async () => undefined,
  };
}

/** A new private key as PKCS #8 PEM. The result is a secret. */
export async function createPem(curve: Curve): Promise<string> {
  const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: curve }, true, ["sign", "verify"]);
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

/**
 * Makes a key and writes it to a file that is not there yet.
 * @throws SIGNER_KEY_EXISTS, SIGNER_FAILED
 */
export async function createAgeSigner(at: AgeKeyFile, curve: Curve): Promise<KeySigner> {
  const { file, passphrase, workFactor = 18 } = at;
  if (existsSync(file)) throw signersErrors.error("SIGNER_KEY_EXISTS", "the file is there already", { path: file });
  const pem = await createPem(curve);
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  const sealed = armor.encode(await encrypter.encrypt(pem));
  try {
    writeFileAtomic(file, sealed);
  } catch (cause) {
    throw signersErrors.error("SIGNER_FAILED", `the file cannot be written: ${messageOf(cause)}`, {
      path: file,
      fix: "name a file in a folder that is there and may be written, such as on the medium, mounted",
      cause,
    });
  }
  return loadAgeSigner(at);
}

/**
 * Opens an encrypted key file.
 * @throws SIGNER_KEY_MISSING, SIGNER_PASSPHRASE_WRONG, SIGNER_KEY_CORRUPT
 */
export async function loadAgeSigner({ file, passphrase }: AgeKeyFile): Promise<KeySigner> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const sealed = read(file);
  if (sealed.includes("-----BEGIN PUBLIC KEY-----")) throw publicHalf(file);
  let pem: string;
  try {
    pem = await decrypter.decrypt(armor.decode(sealed), "text");
  } catch (thrown) {
    if (messageOf(thrown).startsWith("no identity matched")) {
      throw signersErrors.error("SIGNER_PASSPHRASE_WRONG", "the passphrase does not open the key", { path: file });
    }
    throw signersErrors.error("SIGNER_KEY_CORRUPT", `age refuses the file: ${messageOf(thrown)}`, { path: file });
  }
  return loadPemSigner(pem, `age:${file}`);
}

function publicHalf(file: string): Error {
  const key = file.endsWith(".pub") ? file.slice(0, -4) : undefined;
  const fix = `name the file of the key itself${key === undefined ? "" : `: ${key}`}`;
  return signersErrors.error("SIGNER_KEY_CORRUPT", `"${file}" is the public key, which signs nothing`, {
    path: file,
    fix,
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw signersErrors.error("SIGNER_KEY_MISSING", `the file cannot be read: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
}

function parsePem(pem: string, where: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw signersErrors.error("SIGNER_KEY_CORRUPT", "the private key is not PKCS #8 PEM", { path: where });
  }
}
