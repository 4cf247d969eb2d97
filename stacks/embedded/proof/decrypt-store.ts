import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { envelopeDigest } from "../../../protocol/envelope.ts";
import { ROW_MS, waitForRow } from "./rows.ts";
import { firstSensor, type ProofContext, proven, type Step, sentMessage, short } from "./step.ts";

/** The row holds what the sensor measured, once, and the gateway has let go of the message because it has the receipt. */
export const decryptStore: Step = {
  id: "decrypt-store",
  async prove(context) {
    const sensor = firstSensor(context);
    const sent = sentMessage(context);
    const rows = await waitForRow(context, sensor.sensor_id, sent.boot_id, sent.seq);
    const [row] = rows;
    proven(
      row !== undefined,
      `no row for ${short(sensor.sensor_id)} ${sent.boot_id}/${sent.seq} after ${ROW_MS / 1000} s`,
    );
    proven(rows.length === 1, `${rows.length} rows for one message`);
    const measured = JSON.parse(sent.plaintext) as Record<string, unknown>;
    proven(isDeepStrictEqual(row.payload, measured), "the row's payload is not what the sensor measured");
    proven(
      (row.temperature_c ?? undefined) === measured.temperature_c,
      "the typed column is not what the sensor measured",
    );
    proven(row.digest.equals(envelopeDigest(Buffer.from(sent.envelope, "hex"))), "the row is of other bytes");
    await waitForReceipt(context, row.gateway, row.digest);
    return `row ${short(sensor.sensor_id)} ${sent.boot_id}/${sent.seq} holds the ${Object.keys(measured).length} members that were measured; ${row.gateway} has its receipt`;
  },
};

/** The gateway lets go of a message when its receipt is there, and not before. */
async function waitForReceipt({ deployed }: ProofContext, gateway: string, digest: Buffer): Promise<void> {
  for (let waited = 0; waited < ROW_MS; waited += 100) {
    const { spooled } = (await deployed.control(gateway, "GET", `/spool/${digest.toString("hex")}`)) as {
      spooled: boolean;
    };
    if (!spooled) return;
    await sleep(100);
  }
  proven(false, `${gateway} still holds the message without a receipt`);
}
