import { createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CertifiedKey } from "../../certs/issue.ts";
import { verifyLedger } from "../../certs/ledger/verify.ts";
import { normalSerial } from "../../certs/serial.ts";
import { Harness, type Started } from "./backend/harness.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

const ROUNDS = 4;
const PER_ROUND = 12;
const harness = new Harness();
let own: Authorities;
let admin: CertifiedKey;
let backend: Started;
let brokerPort = 0;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  ({ brokerPort } = await harness.prepare());
  admin = await leafOf(own, "op-admin");
  const { certPem, keyPem } = await leafOf(own, "svc-backend");
  harness.write("ca.pem", own.root.certPem);
  harness.write("svc-backend.pem", certPem);
  harness.write("svc-backend.key", keyPem);
  backend = await harness.startBackend(harness.backendConfig(brokerPort));
});
afterAll(() => harness.close());

const serialOf = ({ certPem }: CertifiedKey): string => normalSerial(new X509Certificate(certPem).serialNumber);
// biome-ignore lint/suspicious/noExplicitAny: each caller knows the route's answer
async function call(method: string, path: string, body?: unknown): Promise<any> {
  const material = { ca: own.root.certPem, cert: admin.certPem, key: admin.keyPem, servername: undefined };
  const answer = await harness.call(null, method, path, body, material);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

/** Records and revokes one certificate after the other until the backend is gone; gives what was answered. */
async function work(leaves: readonly CertifiedKey[]): Promise<{ recorded: string[]; revoked: string[] }> {
  const answered = { recorded: [] as string[], revoked: [] as string[] };
  try {
    for (const leaf of leaves) {
      await call("POST", "/v1/certificates", { chain_pem: leaf.certPem });
      answered.recorded.push(serialOf(leaf));
      await call("POST", `/v1/certificates/${serialOf(leaf)}/revoke`, { reason: "superseded" });
      answered.revoked.push(serialOf(leaf));
    }
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown) return answered;
    throw thrown;
  }
  return answered;
}

it("keeps what it answered, and one truth in journal and registry, when it is killed at any moment", async () => {
  const recorded = new Set<string>();
  const revoked = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const leaves = await Promise.all(Array.from({ length: PER_ROUND }, () => leafOf(own, "gw-01")));
    const working = work(leaves);
    await delay(150 + 130 * round);
    await harness.kill(backend);
    const answered = await working;
    for (const serial of answered.recorded) recorded.add(serial);
    for (const serial of answered.revoked) revoked.add(serial);
    backend = await harness.startBackend(harness.backendConfig(brokerPort));

    const { ledger, head } = await call("GET", "/v1/audit");
    const publicKey = createPublicKey(readFileSync(join(harness.folder, "signing.key"), "utf8"));
    expect(await verifyLedger({ text: ledger, head, publicKey })).toEqual([]);
    const entries: { kind: string; serial: string }[] = ledger
      .split("\n")
      .filter(Boolean)
      .map((line: string) => JSON.parse(line));
    const serialsOf = (kind: string) => entries.filter((entry) => entry.kind === kind).map(({ serial }) => serial);
    const registry: { serial: string; state: string }[] = await call("GET", "/v1/certificates");
    const known = registry.map(({ serial }) => serial);
    expect(serialsOf("issued")).toEqual(expect.arrayContaining([...known, ...recorded]));
    expect(known).toEqual(expect.arrayContaining([...recorded]));
    const gone = registry.filter(({ state }) => state === "revoked").map(({ serial }) => serial);
    expect(serialsOf("revoked").toSorted()).toEqual(gone.toSorted());
    expect(gone).toEqual(expect.arrayContaining([...revoked]));
  }
  expect(recorded.size).toBeGreaterThan(0);
});
