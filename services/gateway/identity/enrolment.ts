import { TrustKernError } from "../../../shared/errors.ts";
import { gatewayErrors } from "../errors.ts";
import { type Credential, type CredentialTexts, credentialProblem, parseCredential } from "./credential.ts";
import type { Identity } from "./identity.ts";
import type { IdentityFile } from "./identity-file.ts";

/** What {@link createEnrolment} is handed. */
export interface EnrolmentOptions {
  readonly gateway: string;
  /** Asks for the first certificate, where it is given. */
  readonly ask: () => Promise<CredentialTexts>;
  readonly identity: Pick<Identity, "credentials">;
  readonly file: IdentityFile;
  /** Trust anchors in force, PEM. */
  readonly ca: () => string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly onEnrolled: (credential: Credential) => void;
  readonly onFailure: (thrown: unknown) => void;
}

const MINUTE_MS = 60_000;
/** A refusal is not changed by asking; an operator's word is, and comes in its own time. */
const PAUSE_MS = { away: MINUTE_MS, refused: 15 * MINUTE_MS } as const;
const MAX_PAUSE_MS = 240 * MINUTE_MS;
/** Nobody has answered, or may be asked yet. */
const AWAY = ["STEP_CA_UNREACHABLE", "GATEWAY_BACKEND_AWAY", "GATEWAY_BACKEND_PAUSED"];

/** Makes the function that enrols the gateway where it has no certificate that holds; to be called about once a minute. */
export function createEnrolment(options: EnrolmentOptions): () => Promise<void> {
  const { now } = options;
  let running = false;
  let failures = 0;
  let nextMs = 0;

  return async () => {
    if (running || now() < nextMs || hasCertificate(options)) return;
    running = true;
    try {
      await enrol(options);
      failures = 0;
    } catch (thrown) {
      const isAway = thrown instanceof TrustKernError && AWAY.includes(thrown.code);
      nextMs = now() + Math.min(PAUSE_MS[isAway ? "away" : "refused"] * 2 ** failures, MAX_PAUSE_MS);
      failures += 1;
      options.onFailure(thrown);
    } finally {
      running = false;
    }
  };
}

function hasCertificate({ gateway, identity, ca, now }: EnrolmentOptions): boolean {
  const [newest] = identity.credentials();
  return newest !== undefined && credentialProblem(newest, { gateway, ca: ca(), atMs: now() }) === null;
}

async function enrol({ gateway, ask, file, ca, now, onEnrolled }: EnrolmentOptions): Promise<void> {
  const current = await ask();
  const credential = parseCredential(current);
  const problem = credential ? credentialProblem(credential, { gateway, ca: ca(), atMs: now() }) : "key-mismatch";
  if (credential === null || problem !== null) {
    throw gatewayErrors.error("GATEWAY_RENEWAL_ANSWER", `what the authority issued is not used: ${problem}`, {
      path: problem ?? "",
    });
  }
  file.save({ pending: null, candidate: null, current, previous: null });
  onEnrolled(credential);
}
