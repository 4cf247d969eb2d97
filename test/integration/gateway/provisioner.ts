import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { keyIdOf } from "../../../protocol/hpke.ts";
import { createProvisioningBundle } from "../../../protocol/provisioning-bundle.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import type { makeKey } from "./test-sensor.ts";

/** A sensor as the simulator lists it. */
export interface ListedSensor {
  readonly sensor_id: string;
  readonly public_key: string;
  readonly state: string;
  readonly provisioning_port: number | null;
  readonly boot_id: number;
  readonly seq: number;
  readonly acknowledged: number;
}

const recipient = generateKeyPairSync("x25519").publicKey.export({ format: "raw-public" });

/** Provisions a factory-fresh simulated sensor, as a backend with that key would; gives the sensor's answer. */
export async function provision(sensor: ListedSensor, backend: ReturnType<typeof makeKey>): Promise<object> {
  const bundle = await createProvisioningBundle(
    {
      schema: "trustkern.provisioning/1",
      bundle_id: "0f".repeat(16),
      sensor_id: sensor.sensor_id,
      public_key: sensor.public_key,
      issued_at: new Date().toISOString(),
      backend_key: backend.publicKey,
      network: {
        network_name: "tk-test",
        channel: 15,
        pan_id: "abcd",
        ext_pan_id: "0011223344556677",
        network_key: "00112233445566778899aabbccddeeff",
        mesh_local_prefix: "fd00:db8::/64",
      },
      gateway: { coap: "coap://127.0.0.1:5683" },
      recipient: [
        {
          key_id: keyIdOf(recipient).toString("hex"),
          public_key: recipient.toString("hex"),
          not_before: "2026-01-01T00:00:00Z",
        },
      ],
      update_counter: 0,
    },
    p256Signer(backend.privateKey),
  );
  const socket = connect(sensor.provisioning_port ?? 0, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`${JSON.stringify({ op: "provision", bundle })}\n`);
  const [line] = await once(createInterface({ input: socket }), "line");
  socket.destroy();
  return JSON.parse(line);
}
