import { createPublicKey, type KeyObject } from "node:crypto";
import { createMemorySigner } from "../../certs/signers/index.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { keyIdOf } from "../../protocol/hpke.ts";
import { buildStatusFile, type StatusFacts } from "./build.ts";
import type { StatusFile } from "./schema.ts";

/** When the status files of tests are written. */
export const WRITTEN_AT = new Date("2026-03-01T12:00:00.000Z");

/** Key id of a generation, as custody makes one. */
export function testKeyId(publicKey: Uint8Array): string {
  return keyIdOf(publicKey).toString("hex");
}

/** Facts of a deployment that is well. */
export function testStatusFacts(changes: Partial<StatusFacts> = {}): StatusFacts {
  return {
    ...{ deployment: "demo", tenant: "demo", profile: "air-gapped", engine: "docker" },
    versions: {
      ...{ toolkit: "0.1.0", node: "v26.10.0", terraform: "1.12.6", dockerEngine: "28.1.0" },
      ...{ bundle: 3, stack: "c".repeat(64) },
    },
    components: [
      { name: "broker", zone: "ingress", condition: "healthy", image: "a".repeat(64), restarts: 0, changed: false },
      { name: "schema", zone: "decryption", condition: "done", image: null, restarts: 0, changed: false },
    ],
    absent: ["grafana"],
    custody: { kind: "pkcs11", custodyClass: "hardware", sealed: false },
    keys: [
      { keyId: testKeyId(Buffer.alloc(32, 1)), state: "active" },
      { keyId: testKeyId(Buffer.alloc(32, 2)), state: "retired" },
    ],
    certificates: [
      { class: "services", name: "broker", notAfter: "2026-04-01T00:00:00.000Z", lifeLeft: 0.5, state: "ok" },
      { class: "authority", name: "root", notAfter: "2036-04-01T00:00:00.000Z", lifeLeft: 0.99, state: "ok" },
    ],
    disks: [
      { what: "state", freeShare: 0.4 },
      { what: "engine", freeShare: 0.11 },
    ],
    unknown: [],
    ...changes,
  };
}

/** A status file, its key, and what it says. */
export interface TestStatus {
  readonly file: Buffer;
  readonly status: StatusFile;
  readonly key: KeyObject;
  readonly publicKeyPem: string;
  readonly signer: KeySigner;
}

/** A status file of {@link testStatusFacts}. @param by another signer than one of its own in memory */
export async function testStatus(changes: Partial<StatusFacts> = {}, by?: KeySigner): Promise<TestStatus> {
  const signer = by ?? (await createMemorySigner("P-256", "memory")).signer;
  const made = await buildStatusFile(testStatusFacts(changes), { signer, place: "host", writtenAt: WRITTEN_AT });
  const key = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
  const publicKeyPem = key.export({ format: "pem", type: "spki" }).toString();
  return { file: Buffer.from(made.file), status: made.status, key, publicKeyPem, signer };
}
