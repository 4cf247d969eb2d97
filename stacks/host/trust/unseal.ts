import { setTimeout as sleep } from "node:timers/promises";
import type { HealthResponse } from "../../../custody/proto/custody_pb.ts";
import { renderFindings } from "../../../model/findings.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/finding.ts";
import { type CustodyManagement, MANAGE_MS } from "../custody-management.ts";
import { logEvent } from "../event-log.ts";
import type { StartVerdict } from "./check.ts";
import { trustErrors } from "./errors.ts";
import { type StartPlace, trustFiles } from "./place.ts";
import { writeSeen } from "./seen.ts";

/**
 * Asks a person for the passphrase of the decryption keys, in UTF-8; it is overwritten after use.
 * @param storeIsNew whether it makes the store, by custody's own word
 */
export type AskPassphrase = (storeIsNew: boolean) => Promise<Uint8Array>;

/** What an order to unseal works with. */
export interface Unsealing extends Pick<StartPlace, "deployment" | "layout"> {
  readonly management: Pick<CustodyManagement, "call">;
  /** Looks whether everything is as it was deployed. */
  readonly check: () => Promise<StartVerdict>;
  /** @default the store opens without a person */
  readonly passphrase?: AskPassphrase | undefined;
  /** Who orders it, for records. */
  readonly actor: string;
  readonly clock: () => Date;
}

/** What an order to unseal came to. */
export interface UnsealReport {
  readonly schema: "trustkern.keys-unseal/1";
  /** Of the manifest that everything fits. */
  readonly manifestVersion: number | null;
  /** Whether custody was sealed before. */
  readonly wasSealed: boolean;
}

/**
 * Checks the host, and only where everything fits has custody unseal. Where something does not, custody is asked for nothing
 * and `CUSTODY_START_REFUSED` is in the host's log.
 * @throws CUSTODY_START_REFUSED with every finding, STATE_UNWRITABLE, what the check throws, and what custody answers
 */
export async function unsealChecked(unsealing: Unsealing): Promise<UnsealReport> {
  const { check, management, actor } = unsealing;
  const { version, findings, seen } = await check();
  if (findings.length > 0) throw refused(unsealing, findings);
  if (seen !== undefined) writeSeen(trustFiles(unsealing.layout).seen, seen);
  const { sealed: wasSealed, storeIsNew = false } = await healthOf(management);
  const { passphrase } = unsealing;
  if (wasSealed) await unsealNow(management, actor, passphrase && (() => passphrase(storeIsNew)));
  return { schema: "trustkern.keys-unseal/1", manifestVersion: version ?? null, wasSealed };
}

/**
 * Has custody unseal, unchecked.
 * @param ask for the passphrase, where the store waits for a person
 */
export async function unsealNow(
  management: Pick<CustodyManagement, "call">,
  actor: string,
  ask?: () => Promise<Uint8Array>,
): Promise<void> {
  const passphrase = (await ask?.()) ?? new Uint8Array();
  try {
    await management.call("unseal", { actor, passphrase }, MANAGE_MS);
  } finally {
    passphrase.fill(0);
  }
}

/** Whether custody is sealed, and why. */
export function healthOf(management: Pick<CustodyManagement, "call">): Promise<HealthResponse> {
  return management.call("health", {}, MANAGE_MS);
}

/** How often a socket that is not there yet is tried, in milliseconds. */
const TRY_MS = 250;

/**
 * Waits until custody answers at all.
 * @throws GRPC_UNREACHABLE when it does not within the limit, or the signal is aborted
 */
export async function untilAnswers(
  management: Pick<CustodyManagement, "call">,
  { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<void> {
  for (const end = Date.now() + limitMs; ; await sleep(TRY_MS)) {
    try {
      await healthOf(management);
      return;
    } catch (thrown) {
      if (!isAway(thrown) || Date.now() > end || signal.aborted) throw thrown;
    }
  }
}

/** What may be there a little later, and costs no attempt at a PIN or a passphrase to ask again. */
const AWAY = [
  ...["GRPC_UNREACHABLE", "DOCKER_UNREACHABLE", "DOCKER_FAILED", "SIGNER_TOKEN_MISSING", "CUSTODY_AUDIT_UNAVAILABLE"],
  ...["CLUSTER_UNREACHABLE", "CLUSTER_CREDENTIAL", "CLUSTER_UNSETTLED", "POD_UNREACHABLE"],
  ...["CUSTODY_STORE_UNREACHABLE", "CUSTODY_STORE_SERVICE_SEALED", "CUSTODY_STORE_THROTTLED"],
];

/** Whether somebody was asked who is not there, and may come. */
export function isAway(thrown: unknown): boolean {
  return thrown instanceof TrustKernError && AWAY.includes(thrown.code);
}

/**
 * The error of a check that found something, without an event.
 * @returns CUSTODY_START_REFUSED
 */
export function startRefused(findings: readonly Finding[]): TrustKernError {
  const title = "custody stays sealed: what is here is not what was deployed";
  return trustErrors.error("CUSTODY_START_REFUSED", renderFindings(title, findings), {
    path: findings[0]?.path,
    cause: findings,
  });
}

function refused({ layout, deployment, actor, clock }: Unsealing, findings: readonly Finding[]): TrustKernError {
  const codes = [...new Set(findings.map(({ code }) => code))];
  logEvent(layout, {
    kind: "CUSTODY_START_REFUSED",
    time: clock().toISOString(),
    tenant: deployment.tenant,
    actor,
    sourceAddress: null,
    object: "custody",
    reason: codes.join(", "),
    count: findings.length,
    correlationId: null,
  });
  return startRefused(findings);
}
