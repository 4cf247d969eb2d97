import { randomBytes, timingSafeEqual } from "node:crypto";
import { hmac, ITERATIONS, type ScramVerifier, scramVerifier, sha256 } from "../runtime/postgres/scram-verifier.ts";

/** The server's half of one SCRAM-SHA-256 exchange; null wherever the client breaks the protocol or fails. */
export interface ScramExchange {
  /** Takes client-first-message, gives server-first-message. */
  readonly first: (clientFirst: string) => string | null;
  /** Takes client-final-message, gives server-final-message when the proof holds. */
  readonly final: (clientFinal: string) => string | null;
}

/** Finds the verifier of a user, or makes one that nobody can satisfy and that has the same salt every time. */
export function createScramDirectory(passwords: ReadonlyMap<string, string>): (user: string) => ScramVerifier {
  const secret = randomBytes(32);
  const verifiers = new Map([...passwords].map(([user, password]) => [user, scramVerifier(password)]));
  const unknownKey = randomBytes(32);
  return (user) =>
    verifiers.get(user) ?? {
      known: false,
      salt: hmac(secret, user).subarray(0, 16),
      storedKey: unknownKey,
      serverKey: unknownKey,
    };
}

/** A SCRAM-SHA-256 exchange (RFC 5802 and RFC 7677, without channel binding). */
export function createScramExchange({ known, salt, storedKey, serverKey }: ScramVerifier): ScramExchange {
  let transcript = "";
  let nonce = "";
  let header = "";
  return {
    first: (clientFirst) => {
      const match = /^([ny],[^,]*,)(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/.exec(clientFirst);
      if (!match) return null;
      header = match[1] ?? "";
      nonce = `${match[3]}${randomBytes(18).toString("base64")}`;
      const answer = `r=${nonce},s=${salt.toString("base64")},i=${ITERATIONS}`;
      transcript = `${match[2]},${answer}`;
      return answer;
    },
    final: (clientFinal) => {
      const match = /^(c=([^,]+),r=([^,]+)(?:,.*)?),p=([^,]+)$/.exec(clientFinal);
      if (!match || match[3] !== nonce || match[2] !== Buffer.from(header).toString("base64")) return null;
      const signed = `${transcript},${match[1]}`;
      const proof = Buffer.from(match[4] ?? "", "base64");
      if (proof.length !== 32) return null;
      const clientKey = xor(proof, hmac(storedKey, signed));
      if (!timingSafeEqual(sha256(clientKey), storedKey) || !known) return null;
      return `v=${hmac(serverKey, signed).toString("base64")}`;
    },
  };
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}
