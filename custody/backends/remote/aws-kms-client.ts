import type * as sdk from "@aws-sdk/client-kms";
import { messageOf } from "../../../shared/errors.ts";
import { custodyStoreErrors } from "../errors.ts";

/** A symmetric key of AWS KMS. The SDK finds the credentials by itself. */
export interface AwsKmsWrapKey {
  readonly region: string;
  /** Its id or its ARN. */
  readonly keyId: string;
  /** `https` URL of a VPC endpoint; plain `http` is for this machine alone. @default the region's own */
  readonly endpoint?: string | undefined;
}

/** Loads the SDK, which is an optional package. */
export type LoadSdk = () => Promise<typeof sdk>;

/** A client of KMS, whose errors are ours. */
export interface AwsKms {
  readonly describe: (keyId: string) => Promise<sdk.KeyMetadata>;
  readonly encrypt: (input: sdk.EncryptCommandInput) => Promise<sdk.EncryptCommandOutput>;
  /** Null for a ciphertext that is not the key's, or is of another context. */
  readonly decrypt: (input: sdk.DecryptCommandInput) => Promise<sdk.DecryptCommandOutput | null>;
  readonly close: () => void;
}

const TIMEOUT_MS = 2_000;
const ATTEMPTS = 2;

// Names of the service's errors, and of the SDK's own.
const NAMES = [
  [/^NotFoundException$/, "CUSTODY_STORE_WRAP_KEY_MISSING"],
  [/^(InvalidArn|Validation)Exception$/, "CUSTODY_STORE_ADDRESS"],
  [/^(Disabled|KMSInvalidState|InvalidKeyUsage)Exception$/, "CUSTODY_STORE_WRAP_KEY_UNFIT"],
  [/Throttl|LimitExceeded|TooManyRequests/, "CUSTODY_STORE_THROTTLED"],
  [
    /AccessDenied|UnrecognizedClient|ExpiredToken|InvalidClientTokenId|Signature|AuthenticationToken|OptInRequired|Credentials/,
    "CUSTODY_STORE_DENIED",
  ],
  [/^(KMSInternal|DryRunOperation|UnsupportedOperation)Exception$/, "CUSTODY_STORE_SERVICE_FAILED"],
] as const;
const NOT_OURS = /^(InvalidCiphertext|IncorrectKey)Exception$/;

/**
 * Makes a client: 2 attempts of at most 2 s each, and a TLS connection that is verified whatever the environment says.
 * @throws CUSTODY_STORE_SDK_MISSING, CUSTODY_STORE_ADDRESS; its calls CUSTODY_STORE_UNREACHABLE, CUSTODY_STORE_DENIED,
 * CUSTODY_STORE_WRAP_KEY_MISSING, CUSTODY_STORE_WRAP_KEY_UNFIT, CUSTODY_STORE_THROTTLED, CUSTODY_STORE_SERVICE_FAILED
 */
export async function connectAwsKms(key: AwsKmsWrapKey, load: LoadSdk): Promise<AwsKms> {
  const { region, endpoint } = key;
  if (endpoint !== undefined) assertEndpoint(key, endpoint);
  const { KMSClient, DescribeKeyCommand, EncryptCommand, DecryptCommand } = await loaded(load);
  const client = new KMSClient({
    region,
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpsAgent: { rejectUnauthorized: true, minVersion: "TLSv1.2" },
    },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const named = async <T>(verb: string, answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (thrown) {
      throw ourError(key, verb, thrown);
    }
  };
  return {
    describe: async (keyId) => {
      const { KeyMetadata } = await named("DescribeKey", client.send(new DescribeKeyCommand({ KeyId: keyId })));
      if (KeyMetadata) return KeyMetadata;
      throw kmsError(key, "CUSTODY_STORE_SERVICE_FAILED", "DescribeKey describes nothing");
    },
    encrypt: (input) => named("Encrypt", client.send(new EncryptCommand(input))),
    decrypt: async (input) => {
      try {
        return await client.send(new DecryptCommand(input));
      } catch (thrown) {
        if (NOT_OURS.test(nameOf(thrown))) return null;
        throw ourError(key, "Decrypt", thrown);
      }
    },
    close: () => client.destroy(),
  };
}

/** An error about a key of KMS. */
export function kmsError(
  { region, keyId }: AwsKmsWrapKey,
  code: Parameters<typeof custodyStoreErrors.error>[0],
  message: string,
): Error {
  return custodyStoreErrors.error(code, message, { path: `aws-kms:region=${region};key-id=${keyId}` });
}

async function loaded(load: LoadSdk): Promise<typeof sdk> {
  try {
    return await load();
  } catch (cause) {
    const message = `the package @aws-sdk/client-kms cannot be loaded: ${messageOf(cause)}`;
    throw custodyStoreErrors.error("CUSTODY_STORE_SDK_MISSING", message, { cause });
  }
}

function assertEndpoint(key: AwsKmsWrapKey, endpoint: string): void {
  const url = URL.parse(endpoint);
  const local = url?.protocol === "http:" && /^(127\.0\.0\.1|\[::1\]|localhost)$/.test(url.hostname);
  if ((url?.protocol === "https:" || local) && !url?.username && !url?.password) return;
  throw kmsError(key, "CUSTODY_STORE_ADDRESS", "the endpoint must start with https://: what travels are keys");
}

function ourError(key: AwsKmsWrapKey, verb: string, thrown: unknown): Error {
  const name = nameOf(thrown);
  // An answer has a status; without one there was none.
  const status = (thrown as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const fallback = status === undefined ? "CUSTODY_STORE_UNREACHABLE" : "CUSTODY_STORE_SERVICE_FAILED";
  const code = NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? fallback;
  return kmsError(key, code, `${verb} is refused with ${name}: ${messageOf(thrown)}`);
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : "Error";
}
