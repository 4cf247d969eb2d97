import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { type Authority, loadAuthority } from "../../../certs/authority.ts";
import { issueCrl } from "../../../certs/crl.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";

/** An authority with what it has revoked. */
class Lists {
  readonly revoked = new Map<string, Date>();
  number = 0n;
  readonly #authority: Authority;
  constructor(authority: Authority) {
    this.#authority = authority;
  }

  /** Its next list. */
  async next(now = new Date()): Promise<string> {
    this.number += 1n;
    const revoked = [...this.revoked].map(([serial, at]) => ({
      serial,
      at: at < now ? at : now,
      reason: "keyCompromise" as const,
    }));
    return (await issueCrl(this.#authority, { number: this.number, revoked, now })).pem;
  }
}

/** What a backend answers a broker, from an HTTPS server of the test. */
export class TrustFeed {
  readonly lists = new Map<string, Lists>();
  /** Newest list of each authority; a test may replace or add any text. */
  readonly crls = new Map<string, string>();
  readonly ended: { seq: number; name: string; reason: string; serial?: string }[] = [];
  /** Answers nothing but 503. */
  away = false;
  questions = 0;
  /** What is answered to questions after other paths. */
  readonly documents = new Map<string, string>();
  #server: Server | undefined;
  readonly #issuers = new Map<string, string>();

  async start(
    tls: { readonly ca: string; readonly cert: string; readonly key: string },
    authorities: Readonly<Record<string, CertifiedKey>>,
  ): Promise<number> {
    for (const [name, pair] of Object.entries(authorities)) await this.add(name, pair);
    const options = { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" as const };
    const server = createServer(options, (request, response) => {
      const document = this.documents.get(request.url ?? "");
      if (document !== undefined) {
        response.end(document);
        return;
      }
      this.questions += 1;
      if (this.away) response.writeHead(503).end();
      else response.end(JSON.stringify(this.answer()));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Another authority with an empty list. */
  async add(name: string, pair: CertifiedKey): Promise<void> {
    this.lists.set(name, new Lists(await loadAuthority(pair)));
    this.#issuers.set(name, pair.certPem);
    await this.publish(name);
  }

  /** Makes the authority's next list the one that is answered. */
  async publish(name: string, now?: Date): Promise<string> {
    const pem = (await this.lists.get(name)?.next(now)) ?? "";
    this.crls.set(name, pem);
    return pem;
  }

  /** Revokes, and publishes. */
  async revoke(name: string, serial: string): Promise<void> {
    this.lists.get(name)?.revoked.set(serial, new Date(Date.now() - 1000));
    await this.publish(name);
  }

  /** All newest lists, with the certificates of their issuers, as a deployment hands them over at first. */
  bundle(): string {
    return [...this.crls.values(), ...this.#issuers.values()].join("");
  }

  answer(): object {
    const crls = [...this.crls].map(([name, pem]) => ({
      issuer: `TrustKern ${name}`,
      number: String(this.lists.get(name)?.number ?? 0),
      next_update: "",
      pem,
      issuer_pem: this.#issuers.get(name),
    }));
    return { crls, ended: this.ended };
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}
