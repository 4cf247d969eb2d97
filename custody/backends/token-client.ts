import { deviceSigner } from "../../certs/signers/device-signer.ts";
import { signersErrors } from "../../certs/signers/errors.ts";
import { RemoteError } from "../../shared/control-client.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { type GrpcClient, grpcClient } from "../../shared/grpc/client.ts";
import type { MethodsOf } from "../../shared/grpc/definition.ts";
import { custodyErrors } from "../errors.ts";
import { type Key, TokenKeys } from "../proto/token_pb.ts";
import { custodyStoreErrors } from "./errors.ts";
import { CUSTODY_CLASSES, type CustodyClass, type KeyStore, type StoredKey } from "./key-store.ts";

/** A token of this host, by the socket of its token server: for a custody in a container. */
export interface TokenServerRef {
  readonly kind: "pkcs11";
  /** Unix socket of `trustkern keys token-server`. */
  readonly server: string;
}

/** Longest wait for one answer, in milliseconds: some tokens take seconds to make a key. */
const LIMIT_MS = 30_000;
/** The same where somebody waits for a message: custody's broker gives up as soon. */
const DECAPSULATE_MS = 2_000;

type TokenClient = GrpcClient<MethodsOf<typeof TokenKeys>>;

/**
 * A store whose keys are on a token that another process of this host drives: neither the token's library, nor its PIN, nor a
 * private key that the token made is ever in this one.
 * @throws CUSTODY_STORE_UNREACHABLE, CUSTODY_STORE_SERVICE_FAILED, every SIGNER_ and CUSTODY_STORE_ code of the token
 */
export async function openTokenServer({ server }: TokenServerRef): Promise<KeyStore> {
  const client = tokenClient(server);
  try {
    const { custodyClass, where, signer: spki } = await client.call("describe", {}, LIMIT_MS);
    const signer = await deviceSigner({
      publicKeySpki: Buffer.from(spki),
      curve: "P-256",
      where: `${where};signer`,
      signDigest: async (_, data) => Buffer.from((await client.call("sign", { data }, LIMIT_MS)).signature),
      close: async () => undefined,
    });
    const facts = {
      kind: "pkcs11",
      custodyClass: classOf(custodyClass, server),
      keysInUse: "on-device",
      where,
    } as const;
    return { facts, signer, ...keysOf(client, server) };
  } catch (thrown) {
    client.close();
    throw thrown;
  }
}

function keysOf(client: TokenClient, server: string): Omit<KeyStore, "facts" | "signer"> {
  return {
    list: async () => (await client.call("list", {}, LIMIT_MS)).keys.map(publicHalf),
    generate: async () => publicHalf(await client.call("generate", {}, LIMIT_MS)),
    importKey: async (privateKey) => publicHalf(await client.call("importKey", { privateKey }, LIMIT_MS)),
    destroy: async (keyId) => {
      await client.call("destroy", { keyId }, LIMIT_MS);
    },
    decapsulate: async (keyId, encapsulated) => {
      const request = { keyId, encapsulatedKeys: [...encapsulated] };
      const { sharedSecrets } = await client.call("decapsulate", request, DECAPSULATE_MS);
      if (sharedSecrets.length === encapsulated.length) return sharedSecrets.map((secret) => secretOf(secret, server));
      throw failed(`${sharedSecrets.length} secrets answer ${encapsulated.length} encapsulated keys`, server);
    },
    close: async () => client.close(),
  };
}

function tokenClient(server: string): TokenClient {
  const grpc = grpcClient(TokenKeys, { address: `unix:${server}` });
  let closed = false;
  return {
    call: async (method, request, limitMs) => {
      if (closed) throw custodyStoreErrors.error("CUSTODY_STORE_CLOSED", "the store is closed", { path: server });
      try {
        return await grpc.call(method, request, limitMs);
      } catch (thrown) {
        throw ofToken(thrown, server);
      }
    },
    close: () => {
      closed = true;
      grpc.close();
    },
  };
}

/** What the token's own back end would have thrown; else that the server is away, or speaks another language. */
function ofToken(thrown: unknown, server: string): unknown {
  if (!(thrown instanceof TrustKernError)) return thrown;
  const { code, message } = thrown;
  if (thrown instanceof RemoteError) {
    for (const known of [signersErrors, custodyStoreErrors, custodyErrors]) {
      if (Object.hasOwn(known.entries, code)) return known.error(code as never, message, { path: server });
    }
  }
  if (code !== "GRPC_UNREACHABLE") return failed(`${code}: ${message}`, server);
  return custodyStoreErrors.error("CUSTODY_STORE_UNREACHABLE", `the token server is away: ${message}`, {
    path: server,
    cause: thrown,
    fix: "start the unit that runs `trustkern keys token-server` on this host",
  });
}

function failed(message: string, server: string): TrustKernError {
  return custodyStoreErrors.error("CUSTODY_STORE_SERVICE_FAILED", message, {
    path: server,
    fix: "run custody and `trustkern keys token-server` of one release",
  });
}

function secretOf(secret: Uint8Array, server: string): Uint8Array | null {
  if (secret.length === 0) return null;
  if (secret.length === 32) return secret;
  throw failed(`a shared secret has ${secret.length} bytes`, server);
}

function classOf(said: string, server: string): CustodyClass {
  const known = CUSTODY_CLASSES.find((each) => each === said);
  if (known === undefined) throw failed(`it calls the token's class "${said}"`, server);
  return known;
}

function publicHalf({ keyId, publicKey }: Key): StoredKey {
  return { keyId, publicKey };
}
