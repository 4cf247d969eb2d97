import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemorySigner } from "../../../certs/signers/index.ts";
import type { KeySigner } from "../../../certs/signers/signer.ts";
import type { TrustQuestion } from "./decide.ts";
import { addSignatures } from "./envelope.ts";
import { type Holder, type Root, rootOf, type SignedRoot, unsignedRoot } from "./root.ts";
import type { SigningJob } from "./sign-bundle.ts";

/** When everything of these tests is made. */
export const MADE_AT = new Date("2026-03-01T12:00:00.000Z");

/** Keys of people, in memory. */
export async function people<const N extends string>(...names: readonly N[]): Promise<Readonly<Record<N, KeySigner>>> {
  const made = await Promise.all(names.map(async (name) => [name, (await createMemorySigner("P-256", name)).signer]));
  return Object.fromEntries(made) as Record<N, KeySigner>;
}

type PublicKey = Pick<KeySigner, "publicKeySpki">;

/** A holder of a key, as roots name one. */
export function holder(name: string, { publicKeySpki }: PublicKey): Holder {
  return { name, publicKey: publicKeySpki.toString("base64") };
}

/** Holders by their names, in order. */
export function holders(keys: Readonly<Record<string, PublicKey>>): Holder[] {
  return Object.entries(keys)
    .map(([name, key]) => holder(name, key))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A root of trust, signed. */
export async function signedRoot(root: Root, ...by: readonly KeySigner[]): Promise<SignedRoot> {
  return rootOf(await addSignatures(unsignedRoot(root).envelope, by), "root");
}

/** What a root says, of version 1 and of thresholds of one, but for the changes. */
export function rootFacts(
  signers: Readonly<Record<string, PublicKey>>,
  rootKeys: Readonly<Record<string, PublicKey>>,
  changes: Partial<Root> = {},
): Root {
  return {
    schema: "trustkern.bundle-root/1",
    ...{ tenant: "acme", version: 1, created: "2026-03-01T11:00:00Z" },
    ...{ signers: holders(signers), threshold: 1, rootKeys: holders(rootKeys), rootThreshold: 1 },
    ...changes,
  };
}

/** The head of a bundle of `acme`'s deployment `plant`; another `mark` is another content. */
export function head(mark = "one", changes: Partial<SigningJob["manifest"]> = {}) {
  const manifest = { tenant: "acme", deployment: "plant", ...changes };
  const manifestBytes = Buffer.from(`${JSON.stringify({ ...manifest, mark })}\n`);
  return { manifest, manifestBytes, sums: Buffer.from(`${"0".repeat(64)}  ${mark}\n`) };
}

/** A question about a bundle of a site that has had nothing yet. */
export function question(
  parts: ReturnType<typeof head> & Pick<TrustQuestion, "slot" | "siteRoot">,
  changes: Partial<TrustQuestion> = {},
): TrustQuestion {
  const { slot, siteRoot, manifest, manifestBytes, sums } = parts;
  return { slot, siteRoot, manifest, manifestBytes, sums, seen: { version: 0 }, now: MADE_AT, ...changes };
}

/** A folder that is removed again. */
export function scratch(): Disposable & { readonly folder: string; readonly in: (name: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), "tk-trust-"));
  return {
    folder,
    in: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
