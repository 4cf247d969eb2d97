import type { RotationSchedule } from "../model/custody.ts";
import type { CustodyKeys, Hosting, Retention } from "../model/deployment.ts";
import { parseDuration } from "../shared/durations.ts";
import type { DeploymentInput } from "./schema.ts";

type CustodyInput = NonNullable<DeploymentInput["custody"]>;

/** The part of a deployment that its custody is resolved in. */
export interface CustodySetting {
  /** Name of the deployment. */
  readonly name: string;
  readonly hosting: Hosting;
  readonly retention: Retention;
}

const DEFAULT_PCRS = "sha256:0,2,4,7";
const DEFAULT_SCHEDULE = { rotateEvery: "90d", overlap: "7d" } as const;

/** Where the decryption keys are, and on what terms: what the file says, else its profile, else a file of software. */
export function resolveCustody(
  said: CustodyInput = {},
  profile: CustodyInput = {},
  setting: CustodySetting,
): CustodyKeys {
  const input = { ...profile, ...said };
  const schedule = { ...DEFAULT_SCHEDULE, ...profile.schedule, ...said.schedule };
  return {
    ...placeOf(input, setting),
    leastClass: input.class ?? "software",
    acceptSoftware: input.acceptSoftware,
    owner: input.owner ?? "self",
    schedule: scheduleOf(schedule, setting.retention),
    escrow: input.escrow,
    grants: input.grants ?? [],
  };
}

/**
 * Seconds from the day a generation is retired to the first day it may be destroyed: the longest retention of the deployment.
 * What needs the key until then is ciphertext: the envelopes of `retention.raw`, which are opened again when rows are made anew
 * or checked. Rows themselves (`retention.telemetry`) are stored as plaintext and need no key; they count because whoever
 * disputes one has to be able to open its envelope for as long as the row is there. A quarantine has no end in time, only in
 * bytes, so it can outlive this: its envelopes of a destroyed generation are never opened again.
 */
function destroyAfterSeconds({ telemetrySeconds, rawSeconds }: Retention): number {
  return Math.max(telemetrySeconds, rawSeconds);
}

function scheduleOf(said: { rotateEvery: string; overlap: string }, retention: Retention): RotationSchedule {
  return {
    rotateEverySeconds: parseDuration(said.rotateEvery, "custody.schedule.rotateEvery"),
    overlapSeconds: parseDuration(said.overlap, "custody.schedule.overlap"),
    destroyAfterSeconds: destroyAfterSeconds(retention),
  };
}

/** The place alone; the input has been checked, so that what its kind needs is there. */
function placeOf(input: CustodyInput, { name, hosting }: CustodySetting) {
  const { kind = "file", module = "", token = "", pinFile = "", device = "" } = input;
  const { pcrs = DEFAULT_PCRS, address = "", mount = "", key = "", tokenFile = "", caFile } = input;
  const { keyId = "", region = hosting.region, account = hosting.account } = input;
  if (kind === "pkcs11") return { kind, module, token, pinFile, keyPrefix: name };
  if (kind === "tpm2") return { kind, device, pcrs };
  if (kind === "vault") return { kind, address, mount, key, tokenFile, caFile };
  if (kind === "aws-kms") return { kind, region, keyId: arnOf(keyId, region, account), account };
  return { kind };
}

/** ARN of a key; its id alone where the account is none of AWS. */
function arnOf(keyId: string, region: string, account: string): string {
  if (!/^\d{12}$/.test(account)) return keyId;
  return `arn:${partitionOf(region)}:kms:${region}:${account}:key/${keyId}`;
}

/** The partition of AWS that a region belongs to. */
function partitionOf(region: string): string {
  const prefixes = { "eusc-": "aws-eusc", "us-gov-": "aws-us-gov", "cn-": "aws-cn" } as const;
  return Object.entries(prefixes).find(([prefix]) => region.startsWith(prefix))?.[1] ?? "aws";
}
