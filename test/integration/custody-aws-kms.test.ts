import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DisableKeyCommand,
  EnableKeyCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AwsKmsStoreRef, openAwsKmsStore } from "../../custody/backends/aws-kms.ts";
import { describeKeyStore } from "../../custody/backends/contract/key-store-contract.ts";
import { forgeKeyFile } from "../../custody/backends/contract/test-forgery.ts";
import { Moto } from "./aws-kms/moto.ts";

const REGION = "eu-central-1";
const moto = new Moto();
const folder = mkdtempSync(join(tmpdir(), "tk-moto-"));
let client: KMSClient;
let keyId = "";
const createKey = async (input: CreateKeyCommandInput = {}): Promise<string> =>
  (await client.send(new CreateKeyCommand({ KeyUsage: "ENCRYPT_DECRYPT", ...input }))).KeyMetadata?.KeyId ?? "";
beforeAll(async () => {
  await moto.start();
  client = await moto.client(REGION);
  keyId = await createKey();
});
afterAll(async () => {
  await moto.stop();
  rmSync(folder, { recursive: true });
});

let made = 0;
const ref = (changes: Partial<AwsKmsStoreRef> = {}): AwsKmsStoreRef => ({
  kind: "aws-kms",
  region: REGION,
  keyId,
  endpoint: moto.endpoint,
  folder: join(folder, `store-${made}`),
  ...changes,
});
const refusal = (changes: Partial<AwsKmsStoreRef> = {}): Promise<unknown> =>
  openAwsKmsStore(ref(changes)).catch((thrown: unknown) => thrown);

describeKeyStore("that AWS KMS wraps", {
  create: () => {
    made += 1;
    return openAwsKmsStore(ref());
  },
  reopen: () => openAwsKmsStore(ref()),
});

describe("a key store that AWS KMS wraps", () => {
  test("is refused while its key is disabled, and opens when that is over", async () => {
    made += 1;
    const store = await openAwsKmsStore(ref());
    const key = await store.generate();
    await store.close();
    await client.send(new DisableKeyCommand({ KeyId: keyId }));
    expect(await refusal()).toMatchObject({ code: "CUSTODY_STORE_WRAP_KEY_UNFIT", exit: 5 });
    await client.send(new EnableKeyCommand({ KeyId: keyId }));
    const again = await openAwsKmsStore(ref());
    expect(await again.list()).toEqual([key]);
    await again.close();
  });

  test("is not opened with another key of the account", async () => {
    const other = await createKey();
    // KMS says IncorrectKeyException; moto answers as KMS does to those who may not know.
    expect(await refusal({ keyId: other })).toMatchObject({ code: "CUSTODY_STORE_DENIED", exit: 3 });
  });

  test("opens no file of another key id, though the same key wrapped it", async () => {
    made += 1;
    const store = await openAwsKmsStore(ref());
    const key = await store.generate();
    await store.close();
    forgeKeyFile(ref().folder, key.keyId, "0011223344556677");
    expect(await refusal()).toMatchObject({ code: "CUSTODY_STORE_FOREIGN", exit: 3 });
  });

  test.each<[string, () => Promise<Partial<AwsKmsStoreRef>>, string]>([
    [
      "a key that is to be deleted",
      async () => {
        const doomed = await createKey();
        await client.send(new ScheduleKeyDeletionCommand({ KeyId: doomed }));
        return { keyId: doomed };
      },
      "CUSTODY_STORE_WRAP_KEY_UNFIT",
    ],
    [
      "a key for signatures",
      async () => ({ keyId: await createKey({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }) }),
      "CUSTODY_STORE_WRAP_KEY_UNFIT",
    ],
    [
      "a key of many regions",
      async () => ({ keyId: await createKey({ MultiRegion: true }) }),
      "CUSTODY_STORE_WRAP_KEY_UNFIT",
    ],
    [
      "an alias",
      async () => {
        await client.send(new CreateAliasCommand({ AliasName: "alias/custody", TargetKeyId: keyId }));
        return { keyId: "alias/custody" };
      },
      "CUSTODY_STORE_WRAP_KEY_UNFIT",
    ],
    ["another region", async () => ({ region: "us-east-1" }), "CUSTODY_STORE_WRAP_KEY_MISSING"],
    ["no such key", async () => ({ keyId: "00000000-0000-0000-0000-000000000000" }), "CUSTODY_STORE_WRAP_KEY_MISSING"],
    ["no service", async () => ({ endpoint: "http://127.0.0.1:1" }), "CUSTODY_STORE_UNREACHABLE"],
  ])("is refused with %s", async (_, changes, code) => {
    expect(await refusal(await changes())).toMatchObject({ code });
  });
});
