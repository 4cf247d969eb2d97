import { createPublicKey } from "node:crypto";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import { messageOf } from "../../../shared/errors.ts";
import { fingerprintOf } from "../../../stacks/host/trust/fingerprint.ts";
import { addSignatures } from "./envelope.ts";
import { bundleTrustErrors } from "./errors.ts";
import { momentOf } from "./fields.ts";
import { type Holder, keysOf, type Root, rootOf, rootSchema, type SignedRoot, unsignedRoot } from "./root.ts";
import { firstIssue } from "./strict-json.ts";

/** What a new root changes; names that are added and there already get the new key. */
export interface RootChanges {
  readonly addSigners: readonly Holder[];
  readonly removeSigners: readonly string[];
  readonly threshold: number | undefined;
  readonly addRootKeys: readonly Holder[];
  readonly removeRootKeys: readonly string[];
  readonly rootThreshold: number | undefined;
}

/** How many signatures a root still needs: of its own root keys, and of those of the root before it. */
export interface MissingSignatures {
  readonly own: number;
  readonly before: number;
}

/**
 * Somebody with a key.
 * @param pem public key on P-256
 * @throws BUNDLE_TRUST_INVALID, which shows nothing of what is no public key
 */
export function holderOf(name: string, pem: string, path: string): Holder {
  const refuse = (why: string, fix?: string) =>
    bundleTrustErrors.error("BUNDLE_TRUST_INVALID", `${name}: ${why}`, { path, fix });
  if (pem.includes("PRIVATE KEY"))
    throw refuse("the file has a private key, which belongs to whoever signs and nowhere else");
  if (pem.includes("-----BEGIN AGE ENCRYPTED FILE-----"))
    throw refuse("the file is the encrypted private key", "name its public key, which lies beside it and ends in .pub");
  if (pem.split("-----BEGIN ").length !== 2 || !pem.includes("-----BEGIN PUBLIC KEY-----")) {
    throw refuse("the file is not one public key in PEM");
  }
  try {
    const der = createPublicKey(pem).export({ type: "spki", format: "der" });
    return { name, publicKey: der.toString("base64") };
  } catch (cause) {
    throw refuse(`the file has no public key: ${messageOf(cause)}`);
  }
}

/**
 * The first root of a tenant, not signed yet.
 * @throws BUNDLE_TRUST_INVALID
 */
export function firstRoot(tenant: string, changes: RootChanges, now: Date): SignedRoot {
  const none = { tenant, version: 0, signers: [], rootKeys: [], threshold: 1, rootThreshold: 1 };
  return changed(none, changes, now);
}

/**
 * The root that follows another, not signed yet.
 * @throws BUNDLE_TRUST_INVALID also where it changes nothing
 */
export function nextRoot({ root }: SignedRoot, changes: RootChanges, now: Date): SignedRoot {
  const next = changed(root, changes, now);
  const without = ({ created: _, version: __, ...rest }: Root): string => JSON.stringify(rest);
  if (without(next.root) !== without(root)) return next;
  throw bundleTrustErrors.error(
    "BUNDLE_TRUST_INVALID",
    `it would be the same as root ${root.version}: nothing is changed`,
  );
}

/**
 * Adds signatures to a root.
 * @param before the root of the version before it, where that is known
 * @throws BUNDLE_SIGNER_UNKNOWN for a key that has no say, and every SIGNER_ code
 */
export async function signRoot(
  root: SignedRoot,
  before: SignedRoot | undefined,
  signers: readonly KeySigner[],
): Promise<SignedRoot> {
  const keys = new Set([...keysOf(root.root.rootKeys).keys(), ...keysOf(before?.root.rootKeys ?? []).keys()]);
  for (const { publicKeySpki, where } of signers) {
    const fingerprint = fingerprintOf(publicKeySpki);
    if (keys.has(fingerprint)) continue;
    const message = `the key in ${where}, ${fingerprint}, has no say in root ${root.root.version}: neither it nor the root before names it`;
    throw bundleTrustErrors.error("BUNDLE_SIGNER_UNKNOWN", message, {
      path: "--key",
      fix: "name the key of one of its root keys; for a key of the root before, name that root with --previous FILE",
    });
  }
  return rootOf(await addSignatures(root.envelope, signers), "root");
}

/** How many signatures are missing, by the keyids on it. */
export function missingOf(root: SignedRoot, before: SignedRoot | undefined): MissingSignatures {
  const signed = new Set(root.envelope.signatures.map(({ keyid }) => keyid));
  const left = ({ rootKeys, rootThreshold }: Root): number => {
    return Math.max(0, rootThreshold - [...keysOf(rootKeys).keys()].filter((keyid) => signed.has(keyid)).length);
  };
  return { own: left(root.root), before: before === undefined ? 0 : left(before.root) };
}

function changed(before: Omit<Root, "schema" | "created">, changes: RootChanges, now: Date): SignedRoot {
  const { tenant, version } = before;
  const parsed = rootSchema.safeParse({
    schema: "trustkern.bundle-root/1",
    ...{ tenant, version: version + 1, created: momentOf(now) },
    signers: holdersOf(before.signers, changes.addSigners, changes.removeSigners, "signer"),
    threshold: changes.threshold ?? before.threshold,
    rootKeys: holdersOf(before.rootKeys, changes.addRootKeys, changes.removeRootKeys, "root key"),
    rootThreshold: changes.rootThreshold ?? before.rootThreshold,
  });
  if (parsed.success) return unsignedRoot(parsed.data);
  throw bundleTrustErrors.error("BUNDLE_TRUST_INVALID", `no root of trust: ${firstIssue(parsed.error)}`);
}

function holdersOf(
  had: readonly Holder[],
  added: readonly Holder[],
  removed: readonly string[],
  what: string,
): readonly Holder[] {
  const unknown = removed.find((name) => !had.some((each) => each.name === name));
  if (unknown !== undefined) {
    const message = `there is no ${what} "${unknown}"; there are ${had.map(({ name }) => name).join(", ")}`;
    throw bundleTrustErrors.error("BUNDLE_TRUST_INVALID", message);
  }
  const replaced = new Set([...removed, ...added.map(({ name }) => name)]);
  return [...had.filter(({ name }) => !replaced.has(name)), ...added].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
