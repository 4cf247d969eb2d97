import { z } from "zod";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import { gatewayErrors } from "../errors.ts";
import type { BackendClient } from "./backend-client.ts";
import { type CertificateRequest, deviceRequest, newRequest } from "./certificate-request.ts";
import {
  type Credential,
  credentialProblem,
  isSuperseded,
  parseCredential,
  renewalDueMs,
  tokenOf,
} from "./credential.ts";
import type { Identity } from "./identity.ts";
import type { IdentityFile, IdentityState } from "./identity-file.ts";

/** Renews the gateway's own certificate, key and token. */
export interface Renewal {
  /** Does what is due; to be called about once a minute. Never throws. */
  readonly tick: () => Promise<void>;
}

/** What {@link createRenewal} is handed. */
export interface RenewalOptions {
  readonly gateway: string;
  readonly client: Pick<BackendClient, "call">;
  readonly identity: Pick<Identity, "credentials">;
  readonly file: IdentityFile;
  /** Trust anchors in force, PEM. */
  readonly ca: () => string;
  /** SHA-256 of the authorities whose leaves may stay, lower-case hex; a leaf of another is renewed now. Empty says nothing. */
  readonly authorities: () => readonly string[];
  /**
   * The device's own key, PKCS#8 PEM: it alone is certified for a device of a maker's record.
   * @default another key with each certificate
   */
  readonly deviceKeyPem?: (() => string) | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Told of a credential that works, and now goes before all others. */
  readonly onRenewed: (credential: Credential) => void;
  /** Told of each attempt that failed. */
  readonly onFailure: (thrown: unknown) => void;
}

const RETRY_MS = 3_600_000;
/** Milliseconds until a leaf is asked for once more that is wanted before its time: its authority may be about to change. */
const SOON_MS = 600_000;
const answerSchema = z.object({ chain: z.string(), token: z.object({ token: z.string() }) });

/**
 * Steps, each on the disk before the next: a key and its request, what the backend made of it, proof that the backend takes
 * the new certificate with the new token, and only then the exchange. A process that dies anywhere goes on from there; until
 * the exchange the old credential is the one in use.
 */
export function createRenewal(options: RenewalOptions): Renewal {
  const { file, now } = options;
  let running = false;
  let retryAtMs = 0;
  let pauseMs = RETRY_MS;
  /** Authorities that a leaf was last asked for because of. */
  let askedFor = "";

  async function step(): Promise<void> {
    if (file.state().candidate) return prove(options);
    const [best] = options.identity.credentials();
    if (best === undefined) return;
    const authorities = options.authorities();
    const isWanted = isSuperseded(best, authorities);
    if (!isWanted && now() < renewalDueMs(best)) return;
    // Another word of the backend is not what was refused.
    if (isWanted && authorities.join() !== askedFor) retryAtMs = 0;
    if (now() < retryAtMs) return;
    askedFor = authorities.join();
    pauseMs = isWanted ? SOON_MS : RETRY_MS;
    await ask(options);
    await prove(options);
    // Where the new one is of no other authority than the old one, the next is not asked for in the same minute.
    retryAtMs = now() + SOON_MS;
  }

  return {
    tick: async () => {
      if (running) return;
      running = true;
      try {
        await step();
      } catch (thrown) {
        // Who is away is asked again as soon as the client allows it; a refusal is not changed by asking.
        if (!isAbsence(thrown)) retryAtMs = now() + pauseMs;
        if (!isPause(thrown)) options.onFailure(thrown);
      } finally {
        running = false;
      }
    },
  };
}

async function ask(options: RenewalOptions): Promise<void> {
  const { client, file, gateway, ca, now } = options;
  const pending = await requestFor(options);
  file.save({ pending });
  const answer = await client.call({ method: "POST", path: "/v1/gateway/certificate", body: { csr: pending.csr } });
  const parsed = answerSchema.safeParse(answer);
  const token = parsed.success ? tokenOf(parsed.data.token.token) : null;
  if (!parsed.success || token === null) throw refused("it is not a chain with a token");
  const candidate = { cert: parsed.data.chain, key: pending.key, token };
  const credential = parseCredential(candidate);
  const problem = credential ? credentialProblem(credential, { gateway, ca: ca(), atMs: now() }) : "key-mismatch";
  if (problem !== null) {
    file.save({ pending: null });
    throw refused(problem);
  }
  file.save({ pending: null, candidate });
}

async function prove({ client, file, onRenewed }: RenewalOptions): Promise<void> {
  const { candidate, current } = file.state();
  const credential = candidate && parseCredential(candidate);
  if (!candidate || !credential) return file.save({ candidate: null });
  try {
    await client.call({ method: "GET", path: "/v1/gateway/allowlist", credential });
  } catch (thrown) {
    if (thrown instanceof TrustKernError && thrown.code === "GATEWAY_BACKEND_REFUSED") file.save({ candidate: null });
    throw thrown;
  }
  const changes: Partial<IdentityState> = { candidate: null, current: candidate, previous: current };
  file.save(changes);
  onRenewed(credential);
}

/** The request of the last attempt, unless the device's key has taken the place of the one that it was made with. */
async function requestFor({ file, gateway, deviceKeyPem }: RenewalOptions): Promise<CertificateRequest> {
  const { pending } = file.state();
  const key = deviceKeyPem?.();
  if (pending && (key === undefined || key === pending.key)) return pending;
  return key === undefined ? newRequest(gateway) : deviceRequest(gateway, key);
}

function refused(problem: string): TrustKernError {
  return gatewayErrors.error("GATEWAY_RENEWAL_ANSWER", `what the backend issued is not used: ${problem}`, {
    path: problem,
  });
}

function isAbsence(thrown: unknown): boolean {
  return thrown instanceof TrustKernError && ["GATEWAY_BACKEND_AWAY", "GATEWAY_BACKEND_PAUSED"].includes(thrown.code);
}

function isPause(thrown: unknown): boolean {
  return thrown instanceof TrustKernError && thrown.code === "GATEWAY_BACKEND_PAUSED";
}

/** One line about a failure, for the log. */
export function failureLine(thrown: unknown): { readonly reason: string; readonly detail: string } {
  const reason = thrown instanceof TrustKernError ? thrown.code : "error";
  return { reason, detail: messageOf(thrown) };
}
