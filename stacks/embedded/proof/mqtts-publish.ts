import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type SecureVersion, type TLSSocket, connect as tlsConnect } from "node:tls";
import { connect, type IClientOptions } from "mqtt";
import { statusOf } from "../../host/readiness.ts";
import { type ProofContext, proven, type Step, sentMessage } from "./step.ts";

/** Longest wait for the broker's word, in milliseconds. */
const ANSWER_MS = 5_000;

/** The broker speaks TLS 1.3 with holders of a gateway's certificate, and with nobody else. */
export const mqttsPublish: Step = {
  id: "mqtts-publish",
  async prove(context) {
    const { deployed } = context;
    sentMessage(context);
    const gateway = deployed.model.components.find(({ service }) => service === "gateway")?.name ?? "";
    const { cert, key } = { cert: secret(context, gateway, "tls.crt"), key: secret(context, gateway, "tls.key") };
    const protocol = await mqttConnect(context, { cert, key });
    proven(protocol === "TLSv1.3", `with the gateway's certificate the broker answered ${protocol}`);
    const bare = await mqttConnect(context, {});
    proven(bare.includes("certificate required"), `without a certificate the broker answered ${bare}`);
    const old = await tlsHandshake(context, { cert, key, maxVersion: "TLSv1.2" });
    proven(old.includes("protocol version"), `with TLS 1.2 the broker answered ${old}`);
    await published(context, gateway);
    return `${gateway} publishes over ${protocol}; without a certificate: ${bare}; with TLS 1.2: ${old}`;
  },
};

/** The message of the step before is on its way to the collector, or has its receipt. */
async function published({ deployed }: ProofContext, gateway: string): Promise<void> {
  for (let waited = 0; waited < ANSWER_MS; waited += 50) {
    const { counters } = await statusOf(deployed.placement.socket(gateway, "control"));
    const { accepted = 0 } = counters.receipts as { readonly accepted?: number };
    if (accepted > 0 || Number(counters.inFlight) > 0) return;
    await sleep(50);
  }
  proven(false, `${gateway} has published nothing`);
}

function secret({ deployed }: ProofContext, component: string, name: string): string {
  return readFileSync(deployed.placement.secretFile(component, name), "utf8");
}

interface Offer {
  readonly cert?: string;
  readonly key?: string;
  readonly maxVersion?: SecureVersion;
}

/** The TLS version of an accepted MQTT connection, or `refused (why)`. */
async function mqttConnect({ deployed }: ProofContext, offer: Offer): Promise<string> {
  const options: IClientOptions = {
    ...deployed.placement.endpoint("broker", "mqtts"),
    ...offer,
    protocol: "mqtts",
    ca: deployed.authorities.rootPem,
    clientId: `proof-${process.pid}`,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: ANSWER_MS,
  };
  return new Promise((resolve) => {
    const client = connect(options);
    const end = (answer: string): void => {
      client.end(true);
      resolve(answer);
    };
    client.once("connect", () => end((client.stream as TLSSocket).getProtocol() ?? "no TLS"));
    client.once("error", (error) => end(`refused (${reason(error)})`));
    client.once("close", () => end("refused (closed)"));
  });
}

/** The TLS version of a finished handshake, or `refused (why)`. */
function tlsHandshake({ deployed }: ProofContext, offer: Offer): Promise<string> {
  const endpoint = deployed.placement.endpoint("broker", "mqtts");
  return new Promise((resolve) => {
    const socket = tlsConnect(
      { ...endpoint, ...offer, ca: deployed.authorities.rootPem, minVersion: "TLSv1.2" },
      () => {
        resolve(socket.getProtocol() ?? "no TLS");
        socket.destroy();
      },
    );
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error("no answer")));
    socket.once("error", (error) => resolve(`refused (${reason(error)})`));
  });
}

function reason(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code ?? error.message)
    .replace(/^ERR_SSL_/, "")
    .toLowerCase()
    .replaceAll("_", " ");
}
