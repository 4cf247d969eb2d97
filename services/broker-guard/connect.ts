import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { Tls13Options } from "../runtime/tls.ts";

const TIMEOUT_MS = 3000;

/** Where Mosquitto listens, and the name that its certificate must carry. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

/** How a connection to the broker ended or did not. */
export type Verdict = "accepted" | "revoked" | "refused" | "away";

/** Connects once with a certificate, hands an accepted connection to `use`, and closes it. */
export async function connectOnce(
  { host, port, servername }: Listener,
  tls: Tls13Options,
  use: (client: MqttClient) => Promise<void> = async () => undefined,
): Promise<Verdict> {
  const options: IClientOptions = { ...tls, host, port, servername, protocol: "mqtts", protocolVersion: 4 };
  const client = mqtt.connect({ ...options, reconnectPeriod: 0, connectTimeout: TIMEOUT_MS });
  try {
    const verdict = await verdictOf(client);
    if (verdict === "accepted") await use(client);
    return verdict;
  } finally {
    client.end(true);
  }
}

/** TLS 1.3 tells a client that it is refused after the client's own handshake is done: only CONNACK is an acceptance. */
function verdictOf(client: MqttClient): Promise<Verdict> {
  return new Promise((resolve) => {
    let verdict: Verdict = "away";
    const timer = setTimeout(() => resolve("away"), TIMEOUT_MS);
    const settle = (result: Verdict): void => {
      clearTimeout(timer);
      resolve(result);
    };
    client.on("connect", () => settle("accepted"));
    client.on("error", (error) => {
      const code = "code" in error ? String(error.code) : "";
      if (/CERTIFICATE_REVOKED/.test(code)) verdict = "revoked";
      else verdict = /^ECONN|^EHOST|^ENET|^ETIMEDOUT/.test(code) ? "away" : "refused";
    });
    client.on("close", () => settle(verdict));
  });
}
