import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { judgeSignatures } from "../../../protocol/dsse-signers.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { fingerprintOf } from "../../../stacks/host/trust/fingerprint.ts";
import { digestOf } from "../format/manifest.ts";
import { type Envelope, envelopeSchema, payloadOf, unsigned } from "./envelope.ts";
import { bundleTrustErrors } from "./errors.ts";
import { momentField, nameField } from "./fields.ts";
import { strictJson } from "./strict-json.ts";

/** DSSE payload type of a root of trust. */
export const ROOT_TYPE = "application/vnd.trustkern.bundle-root+json";

/** Keys of each kind at most. */
export const MAX_KEYS = 8;

const publicKey = z
  .string()
  .max(256)
  .refine((text) => p256Of(text) !== undefined, "no public key on P-256, SPKI in base64");
const holder = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9.@_-]{0,61}[a-z0-9])?$/, "not a name"),
  publicKey,
});
const holders = z
  .array(holder)
  .min(1)
  .max(MAX_KEYS)
  .refine(
    (all) => all.every(({ name }, i) => i === 0 || (all[i - 1]?.name ?? "") < name),
    "a name twice, or not in order",
  )
  .refine((all) => new Set(all.map((each) => each.publicKey)).size === all.length, "a key twice");

/** What a root of trust says. */
export const rootSchema = z
  .strictObject({
    schema: z.literal("trustkern.bundle-root/1"),
    tenant: nameField,
    /** 1, 2, …: each is signed by the one before it. */
    version: z.int().min(1).max(9999),
    created: momentField,
    /** Whose signatures bundles count by. */
    signers: holders,
    /** So many of them have to sign a bundle. */
    threshold: z.int().min(1),
    /** Whose signatures roots count by. */
    rootKeys: holders,
    rootThreshold: z.int().min(1),
  })
  .refine((root) => root.threshold <= root.signers.length, {
    path: ["threshold"],
    error: "more than there are signers",
  })
  .refine((root) => root.rootThreshold <= root.rootKeys.length, {
    path: ["rootThreshold"],
    error: "more than there are root keys",
  });

/** See {@link rootSchema}. */
export type Root = Readonly<z.output<typeof rootSchema>>;

/** Somebody with a key. */
export type Holder = Root["signers"][number];

/** A root of trust with its signatures, parsed; whether they count is for {@link verifyRoot}. */
export interface SignedRoot {
  readonly envelope: Envelope;
  readonly root: Root;
  /** Of what is signed, as `sha256:…`: what people compare. More signatures do not change it. */
  readonly fingerprint: string;
}

/** The bytes of a file with a root: one line. */
export function renderRoot({ envelope }: Pick<SignedRoot, "envelope">): string {
  return `${stableJson(envelope)}\n`;
}

/** A root that nobody has signed yet. */
export function unsignedRoot(root: Root): SignedRoot {
  return rootOf(unsigned(ROOT_TYPE, Buffer.from(stableJson(root))), "root");
}

/**
 * A root out of the bytes of its file.
 * @throws BUNDLE_ROOT_MALFORMED
 */
export function parseRoot(file: Uint8Array, path: string): SignedRoot {
  if (file.length > 65_536) throw malformed(`it has ${file.length} bytes; accepted: at most 65536`, path);
  const line = file.at(-1) === 0x0a ? file.subarray(0, -1) : file;
  return rootOf(
    strictJson(envelopeSchema, line, (why) => malformed(why, path)),
    path,
  );
}

/**
 * A root out of its envelope.
 * @throws BUNDLE_ROOT_MALFORMED
 */
export function rootOf(envelope: Envelope, path: string): SignedRoot {
  if (envelope.payloadType !== ROOT_TYPE)
    throw malformed(`"payloadType": it is signed as ${envelope.payloadType}`, path);
  const payload = payloadOf(envelope);
  return {
    envelope,
    root: strictJson(rootSchema, payload, (why) => malformed(why, path)),
    fingerprint: digestOf(payload),
  };
}

/**
 * Holds a root to its own threshold, and to that of the one before it.
 * @param before the root of the version before, verified; without it, the caller knows the fingerprint by another way
 * @throws BUNDLE_ROOT_BAD_SIGNATURE, BUNDLE_ROOT_BELOW_THRESHOLD, BUNDLE_ROOT_GAP, BUNDLE_OTHER_TENANT
 */
export function verifyRoot(signed: SignedRoot, before: SignedRoot | undefined): void {
  const { root, envelope } = signed;
  const path = `root ${root.version}`;
  if (before !== undefined) assertFollows(root, before.root);
  const own = keysOf(root.rootKeys);
  const old = keysOf(before?.root.rootKeys ?? []);
  const good = goodSignatures(envelope, new Map([...old, ...own]), root.version > 1 && before === undefined, path);
  assertReached(root, own, good, `${path} asks for`);
  if (before !== undefined)
    assertReached(before.root, old, good, `root ${before.root.version}, before it, asks for`, path);
}

/** Public keys by fingerprint. */
export function keysOf(all: readonly Holder[]): ReadonlyMap<string, KeyObject> {
  const keys = all.flatMap((each) => p256Of(each.publicKey) ?? []);
  return new Map(keys.map((key) => [fingerprintOf(key), key]));
}

function assertFollows(root: Root, before: Root): void {
  if (root.version !== before.version + 1) {
    const message = `root ${root.version} does not follow root ${before.version}: ${before.version + 1} is next`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_GAP", message);
  }
  if (root.tenant === before.tenant) return;
  const message = `root ${root.version} is of tenant "${root.tenant}", the one before it of "${before.tenant}"`;
  throw bundleTrustErrors.error("BUNDLE_OTHER_TENANT", message);
}

function goodSignatures(
  { payloadType, payload, signatures }: Envelope,
  keys: ReadonlyMap<string, KeyObject>,
  othersMaySign: boolean,
  path: string,
) {
  const parts = signatures.map(({ keyid, sig }) => ({ keyid, sig: Buffer.from(sig, "base64") }));
  const states = judgeSignatures(payloadType, payloadOf({ payload }), parts, keys);
  const good = new Set<string>();
  for (const [index, { keyid }] of parts.entries()) {
    const state = states[index];
    if (state === "good") good.add(keyid);
    else if (state !== "unknown" || !othersMaySign) {
      const why =
        state === "unknown"
          ? "has no key for roots"
          : state === "bad"
            ? "did not sign this content"
            : "has another signature on it, with a high s";
      throw bundleTrustErrors.error("BUNDLE_ROOT_BAD_SIGNATURE", `${path}: ${keyid} ${why}`, { path });
    }
  }
  return good;
}

function assertReached(
  { rootThreshold }: Root,
  keys: ReadonlyMap<string, KeyObject>,
  good: ReadonlySet<string>,
  who: string,
  path?: string,
): void {
  const count = [...keys.keys()].filter((keyid) => good.has(keyid)).length;
  if (count >= rootThreshold) return;
  const message = `${count} of the root keys have signed; ${who} ${rootThreshold}`;
  throw bundleTrustErrors.error("BUNDLE_ROOT_BELOW_THRESHOLD", message, { path });
}

/** A public key on P-256 in the one form of its SPKI, or undefined. */
function p256Of(text: string): KeyObject | undefined {
  try {
    const der = Buffer.from(text, "base64");
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    const same = key.export({ format: "der", type: "spki" }).toString("base64") === text;
    // An uncompressed point with the name of the curve: 91 bytes, and no other form of the same key.
    return same && der.length === 91 && key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : undefined;
  } catch {
    return undefined;
  }
}

function malformed(why: string, path: string) {
  return bundleTrustErrors.error("BUNDLE_ROOT_MALFORMED", `no root of trust: ${why}`, { path });
}
