import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { importX25519Private, keyIdOf } from "../../protocol/hpke.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { GENERATION_STATES, type Generation } from "../generation.ts";

/** A generation with its private key; `null` once it is destroyed. */
export interface HeldGeneration extends Generation {
  readonly privateKey: KeyObject | null;
}

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

const stateSchema = z.strictObject({
  schema: z.literal("trustkern.custody/1"),
  generations: z.array(
    z.strictObject({
      key_id: hex(8),
      public_key: hex(32),
      private_key: hex(32).nullable(),
      state: z.enum(GENERATION_STATES),
      created_at: z.iso.datetime(),
      not_before: z.iso.datetime(),
    }),
  ),
});

/** Raw public key of an X25519 private key. */
export function publicKeyOf(privateKey: KeyObject): Buffer {
  return Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url");
}

/** The plaintext of the file back end's state. */
export function renderState(generations: readonly HeldGeneration[]): Uint8Array {
  const rows = generations.map(({ keyId, publicKey, privateKey, state, createdAt, notBefore }) => ({
    key_id: keyId,
    public_key: publicKey,
    private_key: privateKey && Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url").toString("hex"),
    state,
    created_at: createdAt,
    not_before: notBefore,
  }));
  return Buffer.from(stableJson({ schema: "trustkern.custody/1", generations: rows }), "utf8");
}

/** The generations, or the defect in words that hold nothing of the plaintext. */
export function parseState(plaintext: Uint8Array): readonly HeldGeneration[] | { readonly defect: string } {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(plaintext).toString("utf8"));
  } catch {
    return { defect: "its plaintext is not JSON" };
  }
  const parsed = stateSchema.safeParse(value);
  if (!parsed.success) {
    const paths = parsed.error.issues.map(({ path }) => path.join(".") || ".");
    return { defect: `its members ${paths.join(", ")} are not what they should be` };
  }
  const generations = parsed.data.generations.map(
    (row): HeldGeneration => ({
      keyId: row.key_id,
      publicKey: row.public_key,
      privateKey: row.private_key === null ? null : importX25519Private(Buffer.from(row.private_key, "hex")),
      state: row.state,
      createdAt: row.created_at,
      notBefore: row.not_before,
    }),
  );
  const wrong = generations.find((generation) => !isConsistent(generation));
  if (wrong) return { defect: `generation ${wrong.keyId} contradicts itself` };
  if (new Set(generations.map(({ keyId }) => keyId)).size < generations.length)
    return { defect: "a key id is there twice" };
  if (generations.filter(({ state }) => state === "active").length > 1) return { defect: "two generations are active" };
  return generations;
}

/** A key pair that belongs together, under its own key id, and gone exactly when it is destroyed. */
function isConsistent({ keyId, publicKey, privateKey, state }: HeldGeneration): boolean {
  if ((privateKey === null) !== (state === "destroyed")) return false;
  if (keyIdOf(Buffer.from(publicKey, "hex")).toString("hex") !== keyId) return false;
  return privateKey === null || publicKeyOf(privateKey).toString("hex") === publicKey;
}
