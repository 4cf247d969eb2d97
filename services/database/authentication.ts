import type { ScramVerifier } from "../runtime/postgres/scram-verifier.ts";
import { createScramExchange } from "./scram.ts";
import { authentication } from "./wire-answers.ts";
import { type Frame, readText, typeOf } from "./wire-frames.ts";

/** What the server answers to a message of the login; no answer means that it failed. */
export interface LoginStep {
  readonly answer: Buffer | undefined;
  /** The client has proved its password. */
  readonly done: boolean;
}

const FAILED: LoginStep = { answer: undefined, done: false };

/** The server's side of SASL with SCRAM-SHA-256 (protocol 3.0, section 53.3), message by message. */
export function createAuthentication(verifier: ScramVerifier): (message: Frame) => LoginStep {
  const exchange = createScramExchange(verifier);
  let begun = false;
  return (message) => {
    if (typeOf(message) !== "p") return FAILED;
    if (begun) {
      const final = exchange.final(message.toString("utf8", 5));
      return final === null ? FAILED : { answer: authentication(12, final), done: true };
    }
    begun = true;
    const initial = parseInitial(message);
    const first = initial === null ? null : exchange.first(initial);
    return first === null ? FAILED : { answer: authentication(11, first), done: false };
  };
}

/** The client-first-message of a SASLInitialResponse, or null for another mechanism or layout. */
function parseInitial(message: Frame): string | null {
  const mechanism = readText(message, 5);
  const start = 5 + Buffer.byteLength(mechanism) + 1;
  if (mechanism !== "SCRAM-SHA-256" || message.length < start + 4) return null;
  const length = message.readInt32BE(start);
  return length === message.length - start - 4 ? message.toString("utf8", start + 4) : null;
}
