import type { KeyStore } from "../../custody/backends/key-store.ts";
import { TokenKeys } from "../../custody/proto/token_pb.ts";
import { TrustKernError } from "../../shared/errors.ts";
import type { MethodsOf } from "../../shared/grpc/definition.ts";
import { createGrpcServer, type Handlers } from "../runtime/grpc/server.ts";
import { serveUnix } from "../runtime/grpc/unix.ts";
import { custodyServiceErrors } from "./errors.ts";

/** Encapsulated keys in one request. */
const ITEMS_MAX = 1_024;
/** More than {@link ITEMS_MAX} of them take. */
const MAX_MESSAGE_BYTES = 65_536;
const NOTHING = new Uint8Array();

/** What a token server serves, and where. */
export interface TokenServerOptions {
  /** The keys on the token; closing them stays the caller's. */
  readonly store: KeyStore;
  /** Path of the Unix socket. */
  readonly socket: string;
  /** Hears of each request that was refused. */
  readonly onRefused: (thrown: unknown) => void;
}

/**
 * Serves the keys of a token to a custody that is in a container; the function that it gives ends that.
 * @throws CONTROL_SOCKET_IN_USE, CONTROL_SOCKET_PATH
 */
export async function serveToken({ store, socket, onRefused }: TokenServerOptions): Promise<() => Promise<void>> {
  const grpc = createGrpcServer({ maxMessageBytes: MAX_MESSAGE_BYTES, onRefused });
  grpc.add(TokenKeys, tokenHandlers(store));
  return serveUnix(grpc, socket).catch((thrown: unknown) => {
    throw atCustodySocket(thrown);
  });
}

/** The socket is one of the deployment's file, and none that a service has in its state directory. */
function atCustodySocket(thrown: unknown): unknown {
  const fixes: Readonly<Record<string, string>> = {
    CONTROL_SOCKET_IN_USE: "stop the token server that is there already, or name another path in docker.custodySocket",
    CONTROL_SOCKET_PATH: "name a shorter path in docker.custodySocket, in a folder that this user may write",
  };
  const fix = thrown instanceof TrustKernError ? fixes[thrown.code] : undefined;
  if (!(thrown instanceof TrustKernError) || fix === undefined) return thrown;
  const { code, exit, message } = thrown;
  return new TrustKernError(code, { exit, summary: message, fix }, message, {
    path: "docker.custodySocket",
    cause: thrown,
  });
}

/** What answers custody: each call is the store's. */
export function tokenHandlers({ facts, signer, ...keys }: KeyStore): Handlers<MethodsOf<typeof TokenKeys>> {
  const { custodyClass, where } = facts;
  return {
    describe: async () => ({ custodyClass, where, signer: signer.publicKeySpki }),
    list: async () => ({ keys: [...(await keys.list())] }),
    generate: () => keys.generate(),
    importKey: async ({ privateKey }) => {
      try {
        return await keys.importKey(privateKey);
      } finally {
        privateKey.fill(0);
      }
    },
    destroy: async ({ keyId }) => {
      await keys.destroy(keyId);
      return {};
    },
    decapsulate: async ({ keyId, encapsulatedKeys }) => {
      const { length } = encapsulatedKeys;
      if (length > ITEMS_MAX) {
        const message = `${length} encapsulated keys are in one request; accepted: up to ${ITEMS_MAX}`;
        throw custodyServiceErrors.error("CUSTODY_REQUEST_INVALID", message, { path: "encapsulatedKeys" });
      }
      const secrets = await keys.decapsulate(keyId, encapsulatedKeys);
      return { sharedSecrets: secrets.map((secret) => secret ?? NOTHING) };
    },
    sign: async ({ data }) => {
      const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
      const signed = await signer.crypto.subtle.sign(algorithm, signer.signingKey, Uint8Array.from(data));
      return { signature: new Uint8Array(signed) };
    },
  };
}
