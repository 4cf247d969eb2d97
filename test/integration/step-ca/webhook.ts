import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { webhookPeer } from "../../../certs/step-ca/webhook-peer.ts";

/** What step-ca asked. */
export interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly protocol: string | null;
  /** Whose webhook it is, by its certificate. */
  readonly peer: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: what a foreign program sends.
  readonly body: any;
}

/** What a webhook says. */
export interface WebhookAnswer {
  readonly status?: number;
  readonly body: unknown;
}

/** A backend that knows one thing: how to answer the webhook. */
export class WebhookServer {
  readonly asked: Asked[] = [];
  answer: (asked: Asked) => WebhookAnswer = allowed;
  #server: Server | undefined;

  /** Listens with the backend's certificate and verifies clients; the number of its port. */
  async listen(leaf: CertifiedKey, rootPem: string, port = 0, more: object = {}): Promise<number> {
    const tls = { cert: leaf.certPem, key: leaf.keyPem, ca: rootPem, minVersion: "TLSv1.3", ...more } as const;
    this.#server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, async (message, response) => {
      const socket = message.socket as TLSSocket;
      const asked: Asked = {
        path: message.url ?? "",
        headers: message.headers,
        protocol: socket.getProtocol(),
        peer: webhookPeer(socket.getPeerCertificate(true), "acme"),
        body: await json(message),
      };
      this.asked.push(asked);
      const { status = 200, body } = this.answer(asked);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends it, open connections included. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

/** Allows the name that the request asks for, with a serial number of its own. */
export function allowed({ body }: Asked): WebhookAnswer {
  const name: string = body.x509CertificateRequest.subject.commonName;
  // The first bit is clear, so that no two writings of the number differ.
  const serial = `5${randomBytes(16).toString("hex").slice(1)}`;
  return { body: { allow: true, data: { name, serial, verdict: "signed" } } };
}

/** A refusal with its reason. */
export function denied(code: string): WebhookAnswer {
  return { body: { allow: false, error: { code, message: "refused" } } };
}
