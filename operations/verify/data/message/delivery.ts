import { envelopeDigest } from "../../../../protocol/envelope.ts";
import { hexOf } from "../../../../protocol/hex.ts";
import { messageOf } from "../../../../shared/errors.ts";
import type { Control } from "../../../../stacks/host/recipients.ts";
import type { Delivery } from "../judge.ts";
import type { VerificationSensor } from "./sensor.ts";
import type { RowCount } from "./stored.ts";
import { type Patience, until } from "./until.ts";
import type { Sealed, Traveller, Ways } from "./ways.ts";

/** Longest waits, in milliseconds: for the allowlist at the gateways, which the broker hands on at once, and for receipts and rows. */
const LIMIT_MS = { allowlist: 30_000, receipt: 30_000 } as const;

/** Versions of the gateways' allowlists, by the name of the gateway; one that does not answer is missing. */
export type Versions = ReadonlyMap<string, number>;

/** Which allowlist each gateway has. */
export async function allowlistVersions(control: Control, gateways: readonly string[]): Promise<Versions> {
  const asked = gateways.map(async (gateway) => {
    const status = (await control(gateway, "GET", "/status").catch(() => undefined)) as GatewayStatus | undefined;
    return status === undefined ? [] : [[gateway, status.allowlist?.version ?? 0] as const];
  });
  return new Map((await Promise.all(asked)).flat());
}

/** Waits until every gateway that answered has a newer list than it had; a gateway that gets none refuses the message. */
export async function newAllowlists(
  { clock, signal }: Traveller,
  { control }: Pick<Ways, "control">,
  before: Versions,
): Promise<void> {
  const patience = { limitMs: LIMIT_MS.allowlist, everyMs: 250, clock, signal };
  await until(async () => {
    const now = await allowlistVersions(control, [...before.keys()]);
    return [...before].every(([gateway, version]) => (now.get(gateway) ?? 0) > version);
  }, patience);
}

/** What became of each message: waits for the collector's receipts, and asks the database. */
export async function followAll(
  { clock, signal }: Traveller,
  ways: Pick<Ways, "control" | "rows">,
  sensor: VerificationSensor,
  sealed: readonly Sealed[],
  answers: readonly string[],
): Promise<readonly Delivery[]> {
  const { control } = ways;
  const patience: Patience = { limitMs: LIMIT_MS.receipt, everyMs: 200, clock, signal };
  const receipts = sealed.map(({ marker, envelope }, index) => {
    if (answers[index] !== "2.04") return false;
    const path = `/spool/${hexOf(envelopeDigest(envelope))}`;
    return until(async () => {
      const answer = (await control(marker.gateway, "GET", path).catch(() => undefined)) as SpoolAnswer | undefined;
      return answer?.spooled === false;
    }, patience);
  });
  const got = await Promise.all(receipts);
  const stored = await rowsOf(ways, sensor, sealed);
  return sealed.map(({ marker }, index) => ({
    gateway: marker.gateway,
    answer: answers[index] ?? "",
    receipt: got[index] ?? false,
    stored: stored[index] ?? "",
  }));
}

async function rowsOf(
  ways: Pick<Ways, "rows">,
  sensor: VerificationSensor,
  sealed: readonly Sealed[],
): Promise<readonly (RowCount | string)[]> {
  try {
    const rows = await ways.rows();
    try {
      const counted: RowCount[] = [];
      for (const { marker } of sealed) counted.push(await rows.of(marker, sensor.id));
      return counted;
    } finally {
      await rows.close();
    }
  } catch (thrown) {
    return sealed.map(() => messageOf(thrown));
  }
}

interface GatewayStatus {
  readonly allowlist: { readonly version: number } | null;
}

interface SpoolAnswer {
  readonly spooled: boolean;
}
