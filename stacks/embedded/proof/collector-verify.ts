import { waitForRow } from "./rows.ts";
import { firstSensor, proven, type Step, sentMessage } from "./step.ts";

/** What a gateway that checks nothing passes on, and the verdict of the collector's receipt. */
const ATTACKS = [
  { kind: "forged", verdict: "bad-signature" },
  { kind: "replayed", verdict: "replay" },
  { kind: "unknown", verdict: "unknown-sensor" },
  { kind: "malformed", verdict: "malformed" },
] as const;

interface Receipt {
  readonly kind: string;
  /** First 16 bytes of SHA-256 of the envelope, lower-case hex. */
  readonly digest: string;
  readonly verdict: string;
}

/** A rogue gateway with a valid certificate gets nothing past the collector. */
export const collectorVerify: Step = {
  id: "collector-verify",
  async prove(context) {
    const { sensor_id } = firstSensor(context);
    // The rogue replays a message of the sensor: it must be stored before, or the rogue would be the first to bring it.
    const sent = sentMessage(context);
    const rows = await waitForRow(context, sensor_id, sent.boot_id, sent.seq);
    proven(rows.length === 1, "the message that the rogue gateway is to replay was not stored");
    const kinds = ATTACKS.map(({ kind }) => kind);
    const receipts = (await context.deployed.control("simulator", "POST", "/rogue/gateway", {
      kinds,
      sensor_id,
    })) as readonly Receipt[];
    for (const { kind, verdict } of ATTACKS) {
      const got = receipts.find((receipt) => receipt.kind === kind)?.verdict ?? "no receipt";
      proven(got === verdict, `${kind}: expected ${verdict}, the collector answered ${got}`);
    }
    const stored = await context.database.query<{ rows: string }>(
      "SELECT count(*) AS rows FROM telemetry WHERE gateway = 'gw-rogue'",
    );
    proven(Number(stored[0]?.rows) === 0, `${stored[0]?.rows} rows came through the rogue gateway`);
    return `the rogue gateway's ${ATTACKS.length} envelopes rejected as ${ATTACKS.map(({ verdict }) => verdict).join(", ")}; no row came through it`;
  },
};
