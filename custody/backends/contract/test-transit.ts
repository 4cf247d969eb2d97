import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";

type Answer = (response: ServerResponse) => void;
type Body = Readonly<Record<string, string>>;

const TOKEN = "hvs.a-token-of-the-test";

/** A server for transit's documented API, which answers to one token and has one key, `custody`, in mount `transit`. */
export class TestTransit {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-transit-"));
  /** Members that `GET keys/custody` answers otherwise. */
  described: Readonly<Record<string, unknown>> = {};
  /** What every request is answered with, when it is set. */
  instead: Answer | undefined;
  /** `METHOD path`, in order. */
  readonly asked: string[] = [];
  address = "";
  readonly #key = randomBytes(32);
  #server: Server | undefined;

  /** @param host IP address at which it listens, and which its certificate names */
  async start(host = "127.0.0.1"): Promise<void> {
    const tls = await testServerTls(this.folder, host);
    this.#server = createServer(tls, (request, response) => void this.#answer(request, response));
    this.#server.listen(0, host);
    await once(this.#server, "listening");
    this.address = `https://${host}:${(this.#server.address() as AddressInfo).port}`;
    writeFileSync(join(this.folder, "token"), `${TOKEN}\n`, { mode: 0o600 });
  }

  /** How a store reaches it. */
  key() {
    const caFile = join(this.folder, "ca.crt");
    return { address: this.address, mount: "transit", key: "custody", tokenFile: join(this.folder, "token"), caFile };
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    rmSync(this.folder, { recursive: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    this.asked.push(`${request.method} ${request.url}`);
    if (this.instead) return this.instead(response);
    if (request.headers["x-vault-token"] !== TOKEN) return refuse(response, 403, "permission denied");
    const body: Body = request.method === "POST" ? JSON.parse(Buffer.concat(chunks).toString("utf8")) : {};
    const answers: Readonly<Record<string, () => void>> = {
      "GET /v1/transit/keys/custody": () => give(response, { ...KEPT, ...this.described }),
      "POST /v1/transit/encrypt/custody": () => give(response, { ciphertext: this.#encrypt(body) }),
      "POST /v1/transit/decrypt/custody": () => this.#decrypt(response, body),
    };
    const answer = answers[`${request.method} ${request.url}`];
    if (answer) return answer();
    refuse(response, 404);
  }

  #encrypt({ plaintext = "", associated_data = "" }: Body): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(associated_data, "base64"));
    const sealed = [nonce, cipher.update(plaintext, "base64"), cipher.final(), cipher.getAuthTag()];
    return `vault:v1:${Buffer.concat(sealed).toString("base64")}`;
  }

  #decrypt(response: ServerResponse, { ciphertext = "", associated_data = "" }: Body): void {
    const bytes = Buffer.from(ciphertext.slice("vault:v1:".length), "base64");
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, 12));
      decipher.setAAD(Buffer.from(associated_data, "base64")).setAuthTag(bytes.subarray(-16));
      const opened = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      give(response, { plaintext: opened.toString("base64") });
    } catch {
      refuse(response, 400, "cipher: message authentication failed");
    }
  }
}

/** What `GET keys/<key>` says of a key that nobody can take out. */
const KEPT = { type: "aes256-gcm96", exportable: false, allow_plaintext_backup: false, derived: false };

/** Answers as Vault does where all is well. */
export function give(response: ServerResponse, data: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ data, errors: null }));
}

/** Answers as Vault does where it refuses. */
export function refuse(response: ServerResponse, status: number, ...errors: readonly string[]): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ errors }));
}

/** Certificate and key of a server at an address; its authority is in `<folder>/ca.crt`, and the two in `tls.crt` and `tls.key`. */
export async function testServerTls(folder: string, host = "127.0.0.1"): Promise<{ cert: string; key: string }> {
  const clock = () => new Date();
  const services = [{ name: "svc-transit", ipAddresses: [host] }];
  const pki = await issueDeploymentCertificates({ tenant: "acme", clock, services, gateways: [], operators: [] });
  const [leaf] = pki.leaves;
  if (leaf === undefined) throw new Error("no certificate");
  writeFileSync(join(folder, "ca.crt"), pki.root.certPem);
  writeFileSync(join(folder, "tls.crt"), leaf.certPem);
  writeFileSync(join(folder, "tls.key"), leaf.keyPem, { mode: 0o600 });
  return { cert: leaf.certPem, key: leaf.keyPem };
}
