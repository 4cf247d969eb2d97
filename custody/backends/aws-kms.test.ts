import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AwsKmsStoreRef, openAwsKmsStore } from "./aws-kms.ts";
import { forgeKeyFile } from "./contract/test-forgery.ts";

const KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ARN = `arn:aws:kms:eu-central-1:111122223333:key/${KEY_ID}`;
const KEY = {
  Arn: ARN,
  KeyId: KEY_ID,
  KeyUsage: "ENCRYPT_DECRYPT",
  KeySpec: "SYMMETRIC_DEFAULT",
  KeyState: "Enabled",
  MultiRegion: false,
};
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "s3cret-of-the-test" };
const folder = mkdtempSync(join(tmpdir(), "tk-kms-"));

type Members = Readonly<Record<string, unknown>>;
const kept = new Map<string, Members>();
/** What the service does: it keeps what it encrypts, and gives it for the same context alone. */
const documented: Readonly<Record<string, (input: Members) => Members>> = {
  DescribeKey: () => ({ KeyMetadata: KEY }),
  Encrypt: (input) => {
    const CiphertextBlob = randomBytes(16).toString("base64");
    kept.set(CiphertextBlob, input);
    return { KeyId: ARN, CiphertextBlob };
  },
  Decrypt: (input) => {
    const sealed = kept.get(String(input.CiphertextBlob));
    const same = JSON.stringify(sealed?.EncryptionContext) === JSON.stringify(input.EncryptionContext);
    return same ? { KeyId: ARN, Plaintext: sealed?.Plaintext } : { __type: "InvalidCiphertextException" };
  },
};

/** Changes to what one operation answers. */
let changed: Readonly<Record<string, (answer: Members) => Members>> = {};
let instead: ((response: ServerResponse) => void) | undefined;
let asked: string[] = [];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const verb = String(request.headers["x-amz-target"]).replace("TrentService.", "");
  asked.push(verb);
  if (instead) return instead(response);
  const answer = documented[verb]?.(JSON.parse(Buffer.concat(chunks).toString("utf8"))) ?? {};
  say(response, changed[verb]?.(answer) ?? answer);
});
const say = (response: ServerResponse, answer: Members, status = "__type" in answer ? 400 : 200) =>
  void response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(answer));

let endpoint = "";
const environment = { ...process.env };
beforeAll(async () => {
  Object.assign(process.env, CREDENTIALS);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  process.env = environment;
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

let made = 0;
beforeEach(() => {
  made += 1;
  asked = [];
});
afterEach(() => {
  changed = {};
  instead = undefined;
});
const ref = (changes: Partial<AwsKmsStoreRef> = {}): AwsKmsStoreRef => ({
  kind: "aws-kms",
  region: "eu-central-1",
  keyId: KEY_ID,
  endpoint,
  folder: join(folder, `store-${made}`),
  ...changes,
});
const refusal = (changes: Partial<AwsKmsStoreRef> = {}): Promise<unknown> =>
  openAwsKmsStore(ref(changes)).catch((thrown: unknown) => thrown);

describe("a key store that AWS KMS wraps", () => {
  it.each([KEY_ID, ARN])("opens again what it made with the key %s, and says what it is", async (keyId) => {
    const store = await openAwsKmsStore(ref({ keyId }));
    const key = await store.generate();
    expect(store.facts).toEqual({
      kind: "aws-kms",
      custodyClass: "hardware",
      keysInUse: "in-memory",
      where: `aws-kms:region=eu-central-1;key-id=${keyId};folder=${ref().folder}`,
    });
    await store.close();
    const again = await openAwsKmsStore(ref({ keyId }));
    expect(await again.list()).toEqual([key]);
    await again.close();
  });

  it("binds each key to its id, and to the key that was named", async () => {
    const store = await openAwsKmsStore(ref());
    const { keyId } = await store.generate();
    await store.close();
    const contexts = [...kept.values()].slice(-2);
    expect(contexts).toMatchObject([
      { KeyId: ARN, EncryptionContext: { "trustkern-key": "audit-signer" } },
      { KeyId: ARN, EncryptionContext: { "trustkern-key": keyId } },
    ]);
  });

  it("opens no file that was wrapped for another key id", async () => {
    const store = await openAwsKmsStore(ref());
    const { keyId } = await store.generate();
    await store.close();
    forgeKeyFile(ref().folder, keyId, "0011223344556677");
    expect(await refusal()).toMatchObject({ code: "CUSTODY_STORE_FOREIGN", exit: 3 });
  });

  it.each<[string, Members, string]>([
    ["disabled", { KeyState: "Disabled" }, "Disabled"],
    ["about to be deleted", { KeyState: "PendingDeletion" }, "PendingDeletion"],
    ["for signatures", { KeyUsage: "SIGN_VERIFY", KeySpec: "ECC_NIST_P256" }, "ECC_NIST_P256"],
    ["not symmetric", { KeySpec: "RSA_4096" }, "RSA_4096"],
    ["in many regions", { MultiRegion: true }, "multi-Region"],
    ["in another region", { Arn: ARN.replace("eu-central-1", "us-east-1") }, "us-east-1"],
    ["of another service", { Arn: ARN.replace(":kms:", ":s3:") }, ":s3:"],
    ["another one", { KeyId: "other", Arn: ARN.replace(KEY_ID, "other") }, "another key"],
  ])("is refused with a key that is %s", async (_, members, word) => {
    changed = { DescribeKey: () => ({ KeyMetadata: { ...KEY, ...members } }) };
    const thrown = await refusal();
    expect(thrown).toMatchObject({ code: "CUSTODY_STORE_WRAP_KEY_UNFIT", exit: 5 });
    expect(String(thrown)).toContain(word);
    expect(asked).toEqual(["DescribeKey"]);
  });

  it.each<[string, string]>([
    ["NotFoundException", "CUSTODY_STORE_WRAP_KEY_MISSING"],
    ["InvalidArnException", "CUSTODY_STORE_ADDRESS"],
    ["DisabledException", "CUSTODY_STORE_WRAP_KEY_UNFIT"],
    ["KMSInvalidStateException", "CUSTODY_STORE_WRAP_KEY_UNFIT"],
    ["AccessDeniedException", "CUSTODY_STORE_DENIED"],
    ["UnrecognizedClientException", "CUSTODY_STORE_DENIED"],
    ["ExpiredTokenException", "CUSTODY_STORE_DENIED"],
    ["InvalidSignatureException", "CUSTODY_STORE_DENIED"],
    ["ThrottlingException", "CUSTODY_STORE_THROTTLED"],
    ["LimitExceededException", "CUSTODY_STORE_THROTTLED"],
    ["KMSInternalException", "CUSTODY_STORE_SERVICE_FAILED"],
    ["SomethingNewException", "CUSTODY_STORE_SERVICE_FAILED"],
  ])("is refused when the service says %s, without a secret", async (name, code) => {
    instead = (response) => say(response, { __type: name, message: "no" });
    const thrown = await refusal();
    expect(thrown).toMatchObject({ code });
    expect(inspect(thrown, { depth: 9 })).not.toContain(CREDENTIALS.AWS_SECRET_ACCESS_KEY);
  });

  it("asks twice and no more when it is hung up on", async () => {
    instead = (response) => response.destroy();
    expect(await refusal()).toMatchObject({ code: "CUSTODY_STORE_UNREACHABLE", exit: 4 });
    expect(asked).toEqual(["DescribeKey", "DescribeKey"]);
  });

  it.each<[string, string, (answer: Members) => Members]>([
    ["names another key when it encrypts", "Encrypt", (answer) => ({ ...answer, KeyId: `${ARN}0` })],
    ["encrypts to nothing", "Encrypt", () => ({ KeyId: ARN })],
    ["names another key when it decrypts", "Decrypt", (answer) => ({ ...answer, KeyId: `${ARN}0` })],
    ["names no key when it decrypts", "Decrypt", ({ Plaintext }) => ({ Plaintext })],
    ["decrypts to nothing", "Decrypt", () => ({ KeyId: ARN })],
  ])("makes no key that it gives out when the service %s", async (_, verb, change) => {
    const store = await openAwsKmsStore(ref());
    changed = { [verb]: change };
    await expect(store.generate()).rejects.toMatchObject({ code: "CUSTODY_STORE_SERVICE_FAILED" });
    expect(await store.list()).toEqual([]);
    await store.close();
  });

  it.each(["InvalidCiphertextException", "IncorrectKeyException"])(
    "takes a file for another key's when the service says %s, and leaves it",
    async (name) => {
      await (await openAwsKmsStore(ref())).close();
      changed = { Decrypt: () => ({ __type: name }) };
      expect(await refusal()).toMatchObject({ code: "CUSTODY_STORE_FOREIGN" });
      changed = {};
      await (await openAwsKmsStore(ref())).close();
      expect(readdirSync(ref().folder)).toEqual(["audit-signer.key"]);
    },
  );

  it.each([
    ["plain http to another machine", "http://kms.example.com"],
    ["a password", "https://user:pa55@kms.example.com"],
    ["no URL", "kms"],
  ])("is refused with an endpoint that is %s", async (_, other) => {
    const thrown = await refusal({ endpoint: other });
    expect(thrown).toMatchObject({ code: "CUSTODY_STORE_ADDRESS", exit: 2 });
    expect(inspect(thrown, { depth: 9 })).not.toContain("pa55");
    expect(asked).toEqual([]);
  });

  it("names the command that installs its package where that is missing", async () => {
    const thrown = await openAwsKmsStore(ref(), async () => {
      throw new Error("Cannot find package '@aws-sdk/client-kms'");
    }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "CUSTODY_STORE_SDK_MISSING", exit: 4, fix: expect.stringContaining("npm ") });
  });
});
