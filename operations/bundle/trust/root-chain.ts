import { bundleTrustErrors } from "./errors.ts";
import { keysOf, type SignedRoot, verifyRoot } from "./root.ts";

/**
 * The roots that follow the one that is trusted, each held to the one before it.
 * @param trusted verified before, or known by its fingerprint
 * @param given oldest first, as a bundle has them
 * @returns none where the trusted one is the newest
 * @throws BUNDLE_ROOT_GAP, BUNDLE_ROOT_OLD, BUNDLE_ROOT_FORK, BUNDLE_ROOT_BAD_SIGNATURE, BUNDLE_ROOT_BELOW_THRESHOLD,
 *   BUNDLE_OTHER_TENANT
 */
export function followRoots(trusted: SignedRoot, given: readonly SignedRoot[]): readonly SignedRoot[] {
  assertOurs(trusted, given);
  assertContiguous(given);
  const { version } = trusted.root;
  const newest = given.at(-1)?.root.version ?? 0;
  if (newest < version) {
    const message = `the newest root of trust of the bundle is ${newest}, and this site has ${version}`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_OLD", message);
  }
  const same = given.find(({ root }) => root.version === version);
  const oldest = given[0]?.root.version ?? 0;
  if (same === undefined && oldest !== version + 1) {
    const message = `this site has root ${version}, and the bundle begins with root ${oldest}`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_GAP", message);
  }
  if (same !== undefined && same.fingerprint !== trusted.fingerprint) {
    const message = `root ${version} is ${same.fingerprint} in the bundle, and ${trusted.fingerprint} at this site`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_FORK", message);
  }
  // Those that the site has already are held to their signatures as well: nothing in a bundle is left unread.
  let before = same === undefined ? trusted : undefined;
  if (same !== undefined && same === given[0]) assertNoOthers(same, trusted);
  for (const next of given) {
    verifyRoot(next, before);
    before = next;
  }
  return given.filter(({ root }) => root.version > version);
}

/**
 * Holds the signatures that are for the root before, which the bundle has not, to those that the site itself has on its root: without the
 * keys of that root nobody can say whose they are.
 */
function assertNoOthers({ root, envelope }: SignedRoot, trusted: SignedRoot): void {
  const own = keysOf(root.rootKeys);
  const had = new Map(trusted.envelope.signatures.map(({ keyid, sig }) => [keyid, sig]));
  for (const { keyid, sig } of envelope.signatures) {
    if (own.has(keyid) || had.get(keyid) === sig) continue;
    const path = `root ${root.version}`;
    const message = `${path}: ${keyid} has no key for roots, and this site has not that signature on it`;
    throw bundleTrustErrors.error("BUNDLE_ROOT_BAD_SIGNATURE", message, { path });
  }
}

/** Another tenant's roots are no fork of ours: whoever took the wrong medium hears that, and raises no alarm. */
function assertOurs({ root: { tenant } }: SignedRoot, given: readonly SignedRoot[]): void {
  const other = given.find(({ root }) => root.tenant !== tenant);
  if (other === undefined) return;
  const message = `the bundle brings root ${other.root.version} of tenant "${other.root.tenant}"; accepted: "${tenant}", by the root of trust`;
  throw bundleTrustErrors.error("BUNDLE_OTHER_TENANT", message);
}

function assertContiguous(given: readonly SignedRoot[]): void {
  for (const [index, { root }] of given.entries()) {
    const before = given[index - 1]?.root.version;
    if (before === undefined || root.version === before + 1) continue;
    throw bundleTrustErrors.error("BUNDLE_ROOT_GAP", `root ${root.version} comes after root ${before} in the bundle`);
  }
}
