import { type ChildProcess, spawn } from "node:child_process";
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ceremony, holdCeremony } from "../../certs/ceremony/ceremony.ts";
import { verifyTranscript } from "../../certs/ceremony/transcript.ts";
import { readCrl, verifyCrl } from "../../certs/crl.ts";
import { generateKeyPair, P256, privateKeyPem } from "../../certs/keys.ts";
import { issuingServerName } from "../../certs/names.ts";
import { createSigner, loadSigner } from "../../certs/signers/index.ts";
import { type KeyPlace, keyAt } from "../../certs/signers/key-place.ts";
import type { Curve, KeySigner } from "../../certs/signers/signer.ts";
import { stepCaKey } from "../../certs/signers/step-ca-kms.ts";
import { fetchCrl, signCsr } from "../../certs/step-ca/client.ts";
import { jwkToken, publicJwk } from "../../certs/step-ca/tokens.ts";
import { x509 } from "../../certs/x509.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";
import type { ToolName } from "../../operations/tools/programs.ts";
import { PROJECT } from "../support/deployment.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";
import { SoftTpm } from "./signers/soft-tpm.ts";

const soft = new SoftToken();
const tpm = new SoftTpm();
const folder = mkdtempSync(join(tmpdir(), "tk-kms-"));
const tools = {
  cacheDir: defaultCacheDir(process.env, homedir()),
  toolsDir: join(PROJECT, "tools"),
  env: process.env,
  signal: new AbortController().signal,
  onProgress: () => undefined,
};
const programs: Partial<Record<ToolName, string>> = {};
beforeAll(async () => {
  await tpm.start();
  for (const name of ["step-ca", "step-ca-pkcs11"] as const) programs[name] = await ensureTool(tools, name);
}, 900_000);
afterAll(async () => {
  soft.remove();
  await tpm.remove();
  rmSync(folder, { recursive: true });
});

const places = {
  pkcs11: { kind: "pkcs11", module: SOFTHSM, token: soft.token, pinFile: soft.pinFile, keyPrefix: "demo" },
  tpm2: { kind: "tpm2", device: tpm.device, folder: tpm.folder },
} as const satisfies Record<string, KeyPlace>;

/** A whole PKI whose keys are all in one place. */
async function ceremony(place: KeyPlace): Promise<Ceremony> {
  const keys: KeySigner[] = [];
  const made = async (authority: string, curve: Curve): Promise<KeySigner> => {
    const signer = await createSigner(keyAt(place, authority), curve);
    keys.push(signer);
    return signer;
  };
  const held = await holdCeremony({
    tenant: "acme",
    now: new Date(),
    root: await made("root", "P-384"),
    issuing: {
      services: await made("services", "P-256"),
      gateways: await made("gateways", "P-256"),
      operators: await made("operators", "P-256"),
    },
    conductor: "the conductor",
    witnesses: ["Mary Somerville"],
    versions: { node: process.versions.node },
  });
  for (const key of keys) await key.close();
  return held;
}

describe.each(["pkcs11", "tpm2"] as const)("a PKI whose keys never leave %s", (kind) => {
  const place = places[kind];
  const program = kind === "pkcs11" ? "step-ca-pkcs11" : "step-ca";
  const servername = issuingServerName("gateways", "acme");
  let held: Ceremony;
  let provisioner: string;
  let stepCa: StepCa;
  beforeAll(async () => {
    held = await ceremony(place);
    provisioner = await privateKeyPem((await generateKeyPair()).privateKey);
    stepCa = new StepCa(kind, programs[program] ?? "");
    await stepCa.write(held, stepCaKey(place, "gateways", "/nonexistent"), provisioner, servername);
    await stepCa.start();
  }, 300_000);
  afterAll(() => stepCa?.stop());

  test("has a transcript that the device's root key signed", async () => {
    const certificates = { gateways: held.issuing.gateways.certPem };
    const check = { jws: held.transcriptJws, rootPem: held.root.certPem, certificates };
    expect(await verifyTranscript(check)).toEqual([]);
    expect(held.transcript.certificates.map(({ key }) => key.split(":")[0])).toEqual(Array(4).fill(kind));
  });

  test("has each key where its transcript says, opened again", async () => {
    for (const { authority, spkiSha256, key } of held.transcript.certificates) {
      const signer = await loadSigner(keyAt(place, authority));
      expect(createHash("sha256").update(signer.publicKeySpki).digest("hex")).toBe(spkiSha256);
      expect(signer.where).toBe(key);
      await signer.close();
    }
  });

  test("issues through a real step-ca that holds the device's key alone", async () => {
    const chain = await issue("gw-01");
    const [leaf, issuer] = x509.PemConverter.decode(chain).map((der) => new X509Certificate(Buffer.from(der)));
    expect(leaf?.verify(createPublicKey(held.issuing.gateways.certPem))).toBe(true);
    expect(issuer?.fingerprint256).toBe(new X509Certificate(held.issuing.gateways.certPem).fingerprint256);
    expect(issuer?.verify(createPublicKey(held.root.certPem))).toBe(true);
  });

  test("publishes a CRL that the device's key signed", async () => {
    const pem = await fetchCrl(stepCa.endpoint);
    const issuerPem = held.issuing.gateways.certPem;
    expect(await verifyCrl({ pem, issuerPem, now: new Date() })).toEqual([]);
    expect(readCrl(pem).revoked).toEqual([]);
  });

  test("does not start without its key", async () => {
    const missing = new StepCa(`${kind}-missing`, programs[program] ?? "");
    await missing.write(held, stepCaKey(place, "nobody", "/nonexistent"), provisioner, servername);
    await expect(missing.start()).rejects.toThrow(/not healthy/);
    expect(missing.log).not.toContain(soft.pin);
  });

  async function issue(name: string): Promise<string> {
    const keys = await generateKeyPair();
    const csr = await x509.Pkcs10CertificateRequestGenerator.create({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: { ...P256, hash: "SHA-256" },
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
    });
    const token = await jwkToken({
      provisioner: "test",
      keyPem: provisioner,
      servername,
      use: "sign",
      subject: name,
      now: new Date(),
    });
    return signCsr(stepCa.endpoint, { token, csrPem: csr.toString("pem") });
  }
});

test("the step-ca without C does not open a token, and says so", async () => {
  const held = await ceremony({ ...places.pkcs11, keyPrefix: "other" });
  const key = stepCaKey({ ...places.pkcs11, keyPrefix: "other" }, "gateways", "/nonexistent");
  const plain = new StepCa("plain", programs["step-ca"] ?? "");
  const provisioner = await privateKeyPem((await generateKeyPair()).privateKey);
  await plain.write(held, key, provisioner, issuingServerName("gateways", "acme"));
  await expect(plain.start()).rejects.toThrow(/compiled without cgo or PKCS#11 support/);
});

/** A step-ca of one test, with the least configuration: what is deployed is the module's. */
class StepCa {
  readonly #folder: string;
  readonly #program: string;
  #child: ChildProcess | undefined;
  endpoint = { host: "127.0.0.1", port: 0, rootPem: "", servername: "" };
  log = "";

  constructor(name: string, program: string) {
    this.#folder = join(folder, name);
    this.#program = program;
    mkdirSync(this.#folder, { recursive: true });
  }

  async write(held: Ceremony, key: object, provisioner: string, servername: string): Promise<void> {
    const port = await freePort();
    const at = (name: string): string => join(this.#folder, name);
    for (const { path, content } of held.files) writeFileSync(at(path), content);
    const jwk = await publicJwk(createPublicKey(provisioner));
    const config = {
      ...key,
      root: at("root.crt"),
      crt: at("gateways.crt"),
      address: `127.0.0.1:${port}`,
      dnsNames: [servername],
      commonName: servername,
      crl: { enabled: true },
      db: { type: "bbolt", dataSource: at("db") },
      authority: { provisioners: [{ type: "JWK", name: "test", key: jwk, options: { x509: { template: TEMPLATE } } }] },
    };
    writeFileSync(at("ca.json"), JSON.stringify(config));
    this.endpoint = { host: "127.0.0.1", port, rootPem: held.root.certPem, servername };
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, [join(this.#folder, "ca.json")], {
      cwd: this.#folder,
      env: { ...process.env, STEPPATH: this.#folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.log += chunk;
      });
    }
    this.#child = child;
    for (let left = 200; !/Serving HTTPS/.test(this.log); left -= 1) {
      if (left === 0 || child.exitCode !== null) throw new Error(`step-ca is not healthy: ${this.log}`);
      await pause(100);
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

/** What the authority's name constraints allow. */
const TEMPLATE = JSON.stringify({
  subject: { organization: "acme", organizationalUnit: "gateways", commonName: "{{ .Subject.CommonName }}" },
  dnsNames: ["{{ .Subject.CommonName }}.gateways.acme.trustkern.internal"],
  keyUsage: ["digitalSignature"],
  extKeyUsage: ["clientAuth"],
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
