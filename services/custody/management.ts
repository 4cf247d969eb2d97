import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Generation } from "../../custody/generation.ts";
import type { GenerationSchema, HealthResponseSchema, Management } from "../../custody/proto/custody_pb.ts";
import { bytesOfHex } from "../../protocol/hex.ts";
import type { MethodsOf } from "../../shared/grpc/definition.ts";
import type { Handlers } from "../runtime/grpc/server.ts";
import type { Custodian } from "./custodian.ts";
import { custodyServiceErrors } from "./errors.ts";

/** Longest text of a person that goes into a record. */
const TEXT_MAX = 200;

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/**
 * What answers Management: each change is the keyring's, which records it under the name of who asks.
 * @param storeIsNew whether the next passphrase makes the store. @default no person types one
 */
export function managementHandlers(
  custodian: Custodian,
  storeIsNew: () => boolean | undefined = () => undefined,
): Handlers<MethodsOf<typeof Management>> {
  const keyring = () => custodian.unsealed().keyring;
  const list = () => ({ generations: keyring().list().map(row) });
  const health = (): MessageInitShape<typeof HealthResponseSchema> => {
    const keys = custodian.opened();
    if (keys !== null) return { sealed: false, store: { ...keys.keyring.facts } };
    const isNew = storeIsNew();
    return {
      sealed: true,
      sealedBecause: custodian.sealedBecause(),
      ...(isNew === undefined ? {} : { storeIsNew: isNew }),
    };
  };
  return {
    listGenerations: async () => list(),
    generate: async ({ actor, state, notBefore }) => {
      const spec = {
        state: oneOf("state", state, ["next", "active"]),
        ...(notBefore && { notBefore: time(notBefore) }),
      };
      return row(await keyring().generate(text("actor", actor), spec));
    },
    activate: async ({ actor, keyId }) => {
      await keyring().activate(text("actor", actor), keyId);
      return list();
    },
    destroy: async ({ actor, keyId }) => {
      await keyring().destroy(text("actor", actor), keyId);
      return list();
    },
    compromise: async ({ actor, keyId, stored, reason }) => {
      const how = { stored: oneOf("stored", stored, ["allow", "block"]), reason: text("reason", reason) };
      return row(await keyring().compromise(text("actor", actor), keyId, how));
    },
    import: async (request) => row(await keyring().importPackage(text("actor", request.actor), request.package)),
    importKey: async () => {
      const { keyId, publicKey } = keyring().packageKey;
      return { keyId, publicKey: bytesOfHex(publicKey) };
    },
    seal: async ({ actor, reason }) => {
      await custodian.seal(text("actor", actor), text("reason", reason));
      return health();
    },
    unseal: async ({ actor, passphrase }) => {
      try {
        await custodian.unseal(text("actor", actor), passphrase);
      } finally {
        passphrase.fill(0);
      }
      return health();
    },
    health: async () => health(),
    auditHead: async () => {
      const { audit, signerSpki } = custodian.unsealed();
      return { head: audit.head(), signerPublicKey: signerSpki };
    },
    attest: async ({ actor, keyId }) => ({
      statement: await custodian.unsealed().attest(keyId, text("actor", actor)),
    }),
  };
}

function row({ publicKey, ...generation }: Generation): MessageInitShape<typeof GenerationSchema> {
  return { ...generation, publicKey: bytesOfHex(publicKey) };
}

function text(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a record is read on terminals
  if (value.trim() !== "" && value.length <= TEXT_MAX && !/[\u0000-\u001f\u007f]/.test(value)) return value;
  throw invalid(name, `must be 1 to ${TEXT_MAX} characters on one line, got ${value.length}`);
}

function oneOf<const T extends string>(name: string, value: string, accepted: readonly T[]): T {
  const found = accepted.find((each) => each === value);
  if (found === undefined) throw invalid(name, `must be one of ${accepted.join(", ")}`);
  return found;
}

function time(value: string): string {
  if (RFC3339.test(value) && Number.isFinite(Date.parse(value))) return new Date(value).toISOString();
  throw invalid("not_before", "must be an RFC 3339 time in UTC, such as 2026-01-31T00:00:00Z");
}

function invalid(name: string, why: string): Error {
  return custodyServiceErrors.error("CUSTODY_REQUEST_INVALID", `"${name}" ${why}`, { path: name });
}
