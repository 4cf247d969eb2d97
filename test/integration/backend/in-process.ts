import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import type { CertifiedKey } from "../../../certs/issue.ts";
import type { Issuers } from "../../../services/backend/enrolment/issuing.ts";
import type { Journal } from "../../../services/backend/journal.ts";
import { openJournal } from "../../../services/backend/open-journal.ts";
import { createPki, type Pki } from "../../../services/backend/pki.ts";
import { openDatabase } from "../../../services/backend/registry/database.ts";
import { createBackendServer } from "../../../services/backend/server.ts";
import { createAllowlists } from "../../../services/backend/trust/allowlists.ts";
import { readSigningKey, type SigningKey } from "../../../services/backend/trust/keys.ts";
import type { SecurityEventInput } from "../../../services/runtime/security-events.ts";
import { type Authorities, leafOf } from "../pki/authorities.ts";

/** What a caller sends. */
export interface Call {
  readonly body?: unknown;
  /** Sent as bearer token. @default no header */
  readonly token?: string | undefined;
  /** Address that it comes from. @default 127.0.0.1 */
  readonly from?: string;
  /** @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the route's answer
  readonly body: any;
}

/** The backend's certificate part behind its real HTTPS server, with a clock that a test moves. */
export class TestBackend {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-bp-"));
  readonly events: SecurityEventInput[] = [];
  readonly own: Authorities;
  readonly issuers: Issuers;
  /** Trust anchors, PEM. */
  anchorsPem: string;
  /** Milliseconds by which its clock is ahead. */
  aheadMs = 0;
  key!: SigningKey;
  db!: DatabaseSync;
  #server!: Server;
  #journal!: Journal;
  #pki!: Pki;
  #port = 0;

  constructor(own: Authorities, issuers: Issuers = {}) {
    this.own = own;
    this.anchorsPem = own.root.certPem;
    this.issuers = issuers;
    const signing = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const pem = signing.export({ type: "pkcs8", format: "pem" }) as string;
    writeFileSync(join(this.folder, "signing.key"), pem, { mode: 0o600 });
  }

  readonly now = (): number => Date.now() + this.aheadMs;

  async start(): Promise<void> {
    const { own, now, events: seen } = this;
    const events = { emit: (event: SecurityEventInput) => void seen.push(event) };
    const key = readSigningKey(join(this.folder, "signing.key"), events);
    const db = openDatabase(this.folder);
    this.#journal = await openJournal({ stateDir: this.folder, key, now });
    this.#pki = createPki({
      config: {
        tenant: own.tenant,
        operators: ["op-admin"],
        support: { access: "off" },
        gateways: ["gw-01", "gw-02"],
        madeDevices: [],
      },
      ...{ db, key, journal: this.#journal, issuers: this.issuers, events, now },
      allowlists: createAllowlists({ db, key, now }),
      publisher: { allowlistsChanged: () => undefined },
      anchorsPem: () => this.anchorsPem,
      limiter: { report: events.emit },
      log: { warn: () => undefined },
    });
    const { certPem, keyPem } = await leafOf(own, "svc-backend");
    const version = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
    const tls = { ca: own.root.certPem, cert: certPem, key: keyPem, ...version };
    this.#server = createBackendServer({
      ...{ tls, routes: this.#pki.routes, gate: this.#pki.gate },
      events: { report: events.emit },
      log: { error: () => undefined },
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    [this.db, this.key] = [db, key];
  }

  /** Where a gateway finds it: its certificate has the address. */
  get target(): { readonly host: string; readonly port: number; readonly servername: string } {
    return { host: "127.0.0.1", port: this.#port, servername: "" };
  }

  /** Takes the issuers' newest lists. */
  refresh(): Promise<void> {
    return this.#pki.refresh();
  }

  /** Ends it and starts it on the same files. */
  async restart(): Promise<void> {
    this.stop();
    await this.start();
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#journal.close();
    this.db.close();
  }

  close(): void {
    this.stop();
    rmSync(this.folder, { recursive: true });
  }

  /** Calls a route over TLS 1.3 with a certificate; rejects where the handshake does. */
  call(
    who: CertifiedKey | null,
    method: string,
    path: string,
    { body, token, from, headers: more = {} }: Call = {},
  ): Promise<Reply> {
    const headers = { ...more, ...(token && { authorization: `Bearer ${token}` }) };
    const where = { host: "127.0.0.1", port: this.#port, method, path, headers, agent: false };
    const tls = { ca: this.own.root.certPem, cert: who?.certPem, key: who?.keyPem };
    return new Promise((resolve, reject) => {
      const sent = request({ ...where, ...tls, ...(from && { localAddress: from }) }, (response) => {
        text(response)
          .then((json) => {
            const retryAfter = response.headers["retry-after"];
            resolve({ status: response.statusCode ?? 0, retryAfter, body: JSON.parse(json) });
          })
          .catch(reject);
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/** The answer to a refused call, as `toMatchObject` wants it. */
export function refusal(status: number, code: string): object {
  return { status, body: { error: { code } } };
}
