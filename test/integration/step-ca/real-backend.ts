import { type ChildProcess, spawn } from "node:child_process";
import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { CompactSign } from "jose";
import { issueOperatorLeaf } from "../../../certs/classes/leaf-operator.ts";
import { issueCrl } from "../../../certs/crl.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { PROJECT } from "../../support/deployment.ts";
import type { StepCaHarness } from "./harness.ts";

/** Who asks the backend. */
export interface Caller {
  /** @default the operator */
  readonly who?: CertifiedKey;
  readonly token?: string;
}

/** The real backend, as a process at the port that the real step-cas ask at. */
export class RealBackend {
  /** What it wrote, both streams. */
  log = "";
  readonly #ca: StepCaHarness;
  readonly #operator: CertifiedKey;
  readonly #child: ChildProcess;

  private constructor(ca: StepCaHarness, operator: CertifiedKey, child: ChildProcess) {
    [this.#ca, this.#operator, this.#child] = [ca, operator, child];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (this.log += chunk));
  }

  /** Starts it, and tells it what a host tells: who may issue lists, the first of them, and the maker `sensirio`. */
  static async start(ca: StepCaHarness): Promise<RealBackend> {
    await ca.webhook.close();
    const operator = await issueOperatorLeaf(ca.authority("operators"), { name: "op-admin", now: new Date() });
    const program = join(PROJECT, "services/backend/main.ts");
    const child = spawn(process.execPath, [program, "--config", await writeConfig(ca)]);
    const backend = new RealBackend(ca, operator, child);
    for (let left = 200; !backend.log.includes('"started"'); left -= 1) {
      if (left === 0 || child.exitCode !== null) throw new Error(`the backend does not start: ${backend.log}`);
      await sleep(100);
    }
    const authority = ca.authority("gateways");
    const { pem } = await issueCrl(authority, { number: 0n, revoked: [], now: new Date() });
    await backend.call("PUT", "/v1/crls", { crls: [pem], issuers: [authority.certPem] });
    await backend.call("PUT", "/v1/makers/sensirio", { certificate_pem: ca.authority("sensirio").certPem });
    return backend;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }

  /** Asks it as the operator, or as a gateway with its token. */
  readonly call = async (
    method: string,
    path: string,
    body?: unknown,
    { who = this.#operator, token }: Caller = {},
  ): Promise<{ status: number; body: unknown }> => {
    const servername = "backend.acme.trustkern.internal";
    const tls = { ca: this.#ca.rootPem, cert: who.certPem, key: who.keyPem, servername, agent: false };
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const asked = request({ host: "127.0.0.1", port: this.#ca.ports.backend, method, path, headers, ...tls });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(asked, "response");
    return { status: response.statusCode, body: JSON.parse(await text(response)) };
  };
}

/** Folder of everything that the backend keeps. */
export function backendFolder(ca: StepCaHarness): string {
  return join(ca.folder, "backend");
}

async function writeConfig(ca: StepCaHarness): Promise<string> {
  const file = (name: string, content: string): string => {
    const path = join(backendFolder(ca), name);
    mkdirSync(backendFolder(ca), { recursive: true });
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const leaf = await ca.service("backend");
  const issuer = (each: "gateways" | "operators") => {
    const { host, port, servername } = ca.endpoint(each);
    return { host, port, servername };
  };
  const config = {
    name: "backend",
    tenant: "acme",
    controlSocket: join(ca.folder, "control"),
    listen: { hosts: ["127.0.0.1"], port: ca.ports.backend },
    tls: {
      caFile: file("ca.crt", ca.rootPem),
      certFile: file("tls.crt", leaf.certPem),
      keyFile: file("tls.key", leaf.keyPem),
    },
    stateDir: join(backendFolder(ca), "state"),
    signingKeyFile: ca.secretFile("backend", "signing.key"),
    // Nobody is there: enrolment does not need the broker.
    broker: { host: "127.0.0.1", port: 1, servername: "broker.acme.trustkern.internal" },
    network: {
      ...{ network_name: "test", channel: 15, pan_id: "1234", ext_pan_id: "0011223344556677" },
      mesh_local_prefix: "fd00:db8::/64",
      networkKeyFile: file("network.key", randomBytes(16).toString("hex")),
    },
    gateways: ["gw-01", "gw-02"],
    coap: "coap://127.0.0.1:5683",
    issuing: { gateways: issuer("gateways"), operators: issuer("operators") },
  };
  return file("config.json", JSON.stringify(config));
}

/** A maker's record of one gateway with the hardware id of the harness's devices, signed by a maker's authority. */
export async function recordOfDevice(
  ca: StepCaHarness,
  by: CertifiedKey,
  maker = "sensirio",
  signedBy = "sensirio",
): Promise<string> {
  const { x = "", y = "" } = createPublicKey(createPrivateKey(by.keyPem)).export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]).toString("hex");
  const payload = {
    schema: "trustkern.made-devices/1",
    maker,
    issued_at: new Date().toISOString(),
    devices: [{ hardware_id: "0a1b2c3d", kind: "gateway", public_key: point, model: "TK 100" }],
  };
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "ES256" })
    .sign(createPrivateKey(ca.authority(signedBy).keyPem));
}
