import { envelopeDigest } from "../../../../protocol/envelope.ts";
import { hexOf } from "../../../../protocol/hex.ts";
import { messageOf } from "../../../../shared/errors.ts";
import { publishedEndpoint } from "../../../../stacks/docker/life/published-endpoint.ts";
import { hostSocket } from "../../../../stacks/docker/mounts.ts";
import { controlOf } from "../../../../stacks/host/first-steps.ts";
import { askProber } from "../../probe/ask-prober.ts";
import type { Delivery } from "../judge.ts";
import type { DataSubject } from "../subject.ts";
import type { Marker } from "./marker.ts";
import type { VerificationSensor } from "./sensor.ts";
import { openRows, type RowCount } from "./stored.ts";
import { type Patience, until } from "./until.ts";

/** Longest waits, in milliseconds: for the allowlist at the gateways, which the broker hands on at once, and for receipts and rows. */
const LIMIT_MS = { allowlist: 30_000, receipt: 30_000, answer: 20_000 } as const;

/** A marked message as it travels. */
export interface Sealed {
  readonly marker: Marker;
  readonly envelope: Uint8Array;
}

/** Versions of the gateways' allowlists, by the name of the gateway; one that does not answer is missing. */
export type Versions = ReadonlyMap<string, number>;

/** Which allowlist each gateway has. */
export async function allowlistVersions(subject: DataSubject, gateways: readonly string[]): Promise<Versions> {
  const control = controlOf((component, socket) => hostSocket(subject.rendered.layout, component, socket));
  const asked = gateways.map(async (gateway) => {
    const status = (await control(gateway, "GET", "/status").catch(() => undefined)) as GatewayStatus | undefined;
    return status === undefined ? [] : [[gateway, status.allowlist?.version ?? 0] as const];
  });
  return new Map((await Promise.all(asked)).flat());
}

/** Waits until every gateway that answered has a newer list than it had; a gateway that gets none refuses the message. */
export async function newAllowlists(subject: DataSubject, before: Versions): Promise<void> {
  const { clock, signal } = subject;
  const patience = { limitMs: LIMIT_MS.allowlist, everyMs: 250, clock, signal };
  await until(async () => {
    const now = await allowlistVersions(subject, [...before.keys()]);
    return [...before].every(([gateway, version]) => (now.get(gateway) ?? 0) > version);
  }, patience);
}

/**
 * Sends each message to its gateway as a sensor does: from this host, to the port that is published.
 * @returns the answer of each gateway, or why there was none
 * @throws PROBE_FAILED, DOCKER_UNREACHABLE
 */
export async function sendAll(
  { docker, rendered }: DataSubject,
  image: string,
  sealed: readonly Sealed[],
): Promise<readonly string[]> {
  const envelopes = sealed.map(({ marker, envelope }) => ({
    ...publishedEndpoint(rendered.plan, marker.gateway),
    bytes: hexOf(envelope),
  }));
  const asking = { container: "host", question: { envelopes }, timeoutMs: LIMIT_MS.answer };
  const { taken = [] } = await askProber(docker, image, asking);
  return sealed.map((_, index) => {
    const answer = taken[index] ?? { why: "no answer" };
    return "why" in answer ? answer.why : `${answer.code} ${answer.text}`.trim();
  });
}

/** What became of each message: waits for the collector's receipts, and asks the database. */
export async function followAll(
  subject: DataSubject,
  sensor: VerificationSensor,
  sealed: readonly Sealed[],
  answers: readonly string[],
): Promise<readonly Delivery[]> {
  const control = controlOf((component, socket) => hostSocket(subject.rendered.layout, component, socket));
  const { clock, signal } = subject;
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
  const stored = await rowsOf(subject, sensor, sealed);
  return sealed.map(({ marker }, index) => ({
    gateway: marker.gateway,
    answer: answers[index] ?? "",
    receipt: got[index] ?? false,
    stored: stored[index] ?? "",
  }));
}

async function rowsOf(
  subject: DataSubject,
  sensor: VerificationSensor,
  sealed: readonly Sealed[],
): Promise<readonly (RowCount | string)[]> {
  try {
    const rows = await openRows(subject);
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
