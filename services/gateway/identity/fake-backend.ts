import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueGatewayLeaf } from "../../../certs/classes/leaf-gateway.ts";
import { issueServiceLeaf } from "../../../certs/classes/leaf-service.ts";
import type { DeploymentCertificates } from "../../../certs/deployment.ts";
import { TEST_SERVER } from "../../runtime/test-pki.ts";
import { mutualTls, optionsOf } from "../../runtime/tls.ts";

/** What the backend saw of a request. */
export interface SeenRequest {
  readonly path: string;
  /** SHA-256 of the client's certificate, lower-case hex. */
  readonly certificate: string;
  readonly token: string | undefined;
  readonly body: unknown;
}

/** A backend of a test over real TLS: what it answers is the test's to say. */
export interface FakeBackend {
  readonly target: { readonly host: string; readonly port: number; readonly servername: string };
  readonly seen: SeenRequest[];
  /** The answer to each request; undefined hangs up. */
  answer: (request: SeenRequest) => { status: number; body?: unknown; headers?: Record<string, string> } | undefined;
  readonly close: () => Promise<void>;
}

/** A token of the right form. */
export function fakeToken(letter: string): string {
  return `gw_${letter.repeat(54)}`;
}

/** Starts a backend of that PKI on a free port. */
export async function startFakeBackend(pki: DeploymentCertificates): Promise<FakeBackend> {
  const seen: SeenRequest[] = [];
  const issuer = await loadAuthority(pki.intermediates.services);
  const request = { name: "svc-backend", dnsNames: [TEST_SERVER], now: new Date() };
  const { certPem: cert, keyPem: key } = await issueServiceLeaf(issuer, request);
  const server: Server = createServer({ ...optionsOf({ ca: pki.root.certPem, cert, key }), ...mutualTls });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const backend: FakeBackend = {
    target: { host: "127.0.0.1", port, servername: TEST_SERVER },
    seen,
    answer: () => ({ status: 200, body: {} }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("request", async (message, response) => {
    const request = await describe(message);
    seen.push(request);
    const answer = backend.answer(request);
    if (answer === undefined) return message.socket.destroy();
    response.writeHead(answer.status, answer.headers ?? {}).end(JSON.stringify(answer.body ?? {}));
  });
  return backend;
}

async function describe(message: IncomingMessage): Promise<SeenRequest> {
  const body = await text(message);
  const { fingerprint256 } = (message.socket as TLSSocket).getPeerCertificate();
  return {
    path: message.url ?? "",
    certificate: fingerprint256.replaceAll(":", "").toLowerCase(),
    token: message.headers.authorization?.replace("Bearer ", ""),
    body: body === "" ? undefined : JSON.parse(body),
  };
}

/** A gateway's certificate with its key, valid from then on. */
export async function gatewayLeaf(pki: DeploymentCertificates, now: Date, name = "gw-01") {
  const issuer = await loadAuthority(pki.intermediates.gateways);
  const { certPem, keyPem } = await issueGatewayLeaf(issuer, { name, now });
  return {
    cert: certPem,
    key: keyPem,
    sha256: new X509Certificate(certPem).fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}
