import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** RFC 7677, section 4: at least 4096. */
export const ITERATIONS = 4096;

/** What the server keeps of a password (RFC 5802, section 3). */
export interface ScramVerifier {
  /** False for a user that does not exist: the exchange then looks like a wrong password. */
  readonly known: boolean;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** The verifier of a password. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): ScramVerifier {
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, ITERATIONS, 32, "sha256");
  return { known: true, salt, storedKey: sha256(hmac(salted, "Client Key")), serverKey: hmac(salted, "Server Key") };
}

/** The verifier as Postgres stores it, and takes it instead of a password (RFC 5803). */
export function scramVerifierText({ salt, storedKey, serverKey }: ScramVerifier): string {
  const base64 = (bytes: Buffer) => bytes.toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

/** HMAC with SHA-256. */
export function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** SHA-256. */
export function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
