import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openAuditLog } from "../../custody/audit/log.ts";
import { rawKey } from "../../custody/backends/contract/key-store-samples.ts";
import { type KeyStoreRef, openKeyStore } from "../../custody/backends/index.ts";
import type { Generation } from "../../custody/generation.ts";
import { type Keyring, openKeyring } from "../../custody/keyring/keyring.ts";
import { aeadOpen } from "../../protocol/aead.ts";
import { hpkeKeySchedule, openWithSharedSecret, type PreparedInfo, prepareInfo } from "../../protocol/hpke.ts";
import { createKemClient } from "../../services/collector/kem/client.ts";
import { activeOf } from "./custody/asking.ts";
import { custodyProcesses } from "./custody/processes.ts";
import { type Rfc9180Vector, rfc9180Vectors, type Sealed, sealedByPyhpke } from "./custody-shown/pyhpke.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";

const SEALS = 100_000;
const BATCH = 1_000;
const CLIENT = "svc-collector";
const FIXTURE = join(import.meta.dirname, "../fixtures/rfc9180-mode0-x25519-sha256-aes128gcm.json");

const hex = (text: string): Buffer => Buffer.from(text, "hex");
const soft = new SoftToken();
let vectors: readonly Rfc9180Vector[];
beforeAll(async () => {
  vectors = await rfc9180Vectors();
}, 600_000);
afterAll(() => soft.remove());

const opens = (secret: Uint8Array, info: PreparedInfo, { aad, ciphertext }: Sealed): Uint8Array | null =>
  openWithSharedSecret(secret, info, aad, ciphertext);

/** The bytes with each of their bits turned, one at a time. */
function* turned(bytes: Uint8Array): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    yield copy;
  }
}

test("the vectors that the unit tests run are these", () => {
  expect(vectors).toHaveLength(1);
  const [{ encryptions: ours, ...rest }] = JSON.parse(readFileSync(FIXTURE, "utf8"));
  expect(vectors[0]).toMatchObject(rest);
  expect(vectors[0]?.encryptions).toEqual(expect.arrayContaining(ours));
});

describe.each(["file", "pkcs11"] as const)("custody with keys of kind %s", (kind) => {
  let folder: string;
  let keyring: Keyring;
  let close: () => Promise<void>;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tk-shown-"));
    writeFileSync(join(folder, "passphrase"), randomBytes(32).toString("hex"));
    const store = await openKeyStore(refs(folder)[kind]);
    const clock = () => new Date();
    const audit = await openAuditLog({ folder: join(folder, "audit"), signer: store.signer, clock, limitMs: 60_000 });
    keyring = await openKeyring({ tenant: "acme", store, audit, folder, clock });
    close = async () => {
      await keyring.close();
      await audit.close();
      await store.close();
    };
  });
  afterEach(async () => {
    await close();
    rmSync(folder, { recursive: true });
  });

  const imported = (raw: Buffer): Promise<Generation> => keyring.importKey("fixture", raw, { state: "retired" });
  const secretsOf = ({ keyId }: Generation, encapsulated: readonly Uint8Array[]) => {
    const items = encapsulated.map((encapsulatedKey) => ({ keyId: hex(keyId), encapsulatedKey }));
    return keyring.decapsulate({ client: CLIENT, use: "live", items });
  };

  test("gives the shared secret of the vectors of RFC 9180, which opens all of their messages", async () => {
    for (const vector of vectors) {
      const generation = await imported(hex(vector.skRm));
      expect(generation.publicKey).toBe(vector.pkRm);
      const [secret] = await secretsOf(generation, [hex(vector.enc)]);
      if (!(secret instanceof Uint8Array)) throw new Error(secret);
      expect(Buffer.from(secret).toString("hex")).toBe(vector.shared_secret);
      const { key, nonce } = hpkeKeySchedule(secret, prepareInfo(hex(vector.info)));
      expect([key, nonce].map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual([vector.key, vector.base_nonce]);
      expect(vector.encryptions).toHaveLength(257);
      for (const { aad, ct, nonce, pt } of vector.encryptions)
        expect(Buffer.from(aeadOpen(key, hex(nonce), hex(aad), hex(ct)) ?? []).toString("hex")).toBe(pt);
    }
  });

  test("opens what pyhpke sealed, and nothing once any bit of enc, ciphertext, aad or info is turned", async () => {
    const generation = await imported(rawKey());
    for await (const messages of sealedByPyhpke(generation.publicKey, { count: 6, batch: 6 })) {
      for (const message of messages) {
        const info = prepareInfo(message.info);
        const [secret, ...others] = await secretsOf(generation, [message.enc, ...turned(message.enc)]);
        if (!(secret instanceof Uint8Array)) throw new Error(secret);
        expect(Buffer.from(opens(secret, info, message) ?? "nothing")).toEqual(message.plaintext);
        // The highest bit of a point is masked in X25519 (RFC 7748, section 5), and yet it is a part of what the secret is made of.
        expect(others).toHaveLength(256);
        const opened = [
          ...others.filter((other) => other instanceof Uint8Array && opens(other, info, message)),
          ...turned(message.ciphertext).filter((ciphertext) => opens(secret, info, { ...message, ciphertext })),
          ...turned(message.aad).filter((aad) => opens(secret, info, { ...message, aad })),
          ...turned(message.info).filter((changed) => opens(secret, prepareInfo(changed), message)),
        ];
        expect(opened).toEqual([]);
      }
    }
  });
});

test(`custody and its broker open ${SEALS} random messages that pyhpke sealed, every one`, async () => {
  const processes = custodyProcesses();
  const kem = createKemClient({ custody: { kind: "unix", socket: processes.at("open") }, onState: () => undefined });
  try {
    processes.custody();
    processes.broker();
    await processes.until("broker", true);
    const { keyId, publicKey } = await activeOf(processes.at("manage"));
    let opened = 0;
    for await (const messages of sealedByPyhpke(Buffer.from(publicKey).toString("hex"), {
      count: SEALS,
      batch: BATCH,
    })) {
      const secrets = await kem.open(messages.map(({ enc }) => ({ keyId: hex(keyId), encapsulatedKey: enc })));
      opened += messages.filter((message, index) => {
        const secret = secrets[index];
        if (!(secret instanceof Uint8Array)) return false;
        const plaintext = opens(secret, prepareInfo(message.info), message);
        return plaintext !== null && message.plaintext.equals(plaintext);
      }).length;
    }
    expect(opened).toBe(SEALS);
  } finally {
    kem.close();
    await processes.end();
  }
}, 600_000);

function refs(folder: string): Readonly<Record<"file" | "pkcs11", KeyStoreRef>> {
  const passphraseFile = join(folder, "passphrase");
  return {
    file: { kind: "file", folder: join(folder, "keys"), passphraseFile },
    pkcs11: { kind: "pkcs11", module: SOFTHSM, token: soft.token, pinFile: soft.pinFile, keyPrefix: basename(folder) },
  };
}
