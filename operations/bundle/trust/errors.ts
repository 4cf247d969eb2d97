import { catalogue, EXIT } from "../../../shared/errors.ts";

const ANOTHER_COPY = "do not install it; take another copy from whoever made it, and tell them what this one said";

/** Error codes of who may sign bundles, and of what a site refuses. */
export const bundleTrustErrors = catalogue({
  BUNDLE_UNSIGNED: {
    exit: EXIT.authentication,
    summary: "The bundle has no signature.",
    fix: "have it signed with `trustkern bundle sign FILE --key PLACE` by those whom the root of trust names",
  },
  BUNDLE_SLOT_MALFORMED: {
    exit: EXIT.configuration,
    summary: "What the bundle has in place of its signatures was edited, is cut short, or is of another form.",
    fix: ANOTHER_COPY,
  },
  BUNDLE_SIGNER_UNKNOWN: {
    exit: EXIT.authentication,
    summary: "Somebody signed who is no signer by the root of trust: never was, or was rotated out.",
    fix: "have it signed by those whom `trustkern bundle trust show` names; a new signer needs a new root, by `trustkern bundle trust rotate`",
  },
  BUNDLE_BAD_SIGNATURE: {
    exit: EXIT.authentication,
    summary: "A signature of the bundle is not that of the key that it names, on this content.",
    fix: ANOTHER_COPY,
  },
  BUNDLE_BELOW_THRESHOLD: {
    exit: EXIT.authentication,
    summary: "Fewer signers have signed the bundle than the root of trust asks for.",
    fix: "have the others sign with `trustkern bundle sign FILE --key PLACE`",
  },
  BUNDLE_MIXED: {
    exit: EXIT.policy,
    summary: "The bundle is put together of several: what is signed is another manifest, or other checksums.",
    fix: ANOTHER_COPY,
  },
  BUNDLE_OTHER_TENANT: {
    exit: EXIT.policy,
    summary: "The bundle is another tenant's.",
    fix: "take the bundle that was made for this tenant",
  },
  BUNDLE_OTHER_DEPLOYMENT: {
    exit: EXIT.policy,
    summary: "The bundle is of another deployment than this site is.",
    fix: "take the bundle of this deployment, or name the other site with --site DIR",
  },
  BUNDLE_ROLLBACK: {
    exit: EXIT.policy,
    summary: "The bundle is older than one that this site has had.",
    fix: "take a newer one; `trustkern bundle rollback` goes back to the version that this site had before",
  },
  BUNDLE_EQUIVOCATION: {
    exit: EXIT.policy,
    summary: "The bundle has the version of one that this site has had, and other content.",
    fix: "do not install it, and ask the signers at once: one version was signed twice, which the toolkit never does",
  },
  BUNDLE_ROOT_MALFORMED: {
    exit: EXIT.configuration,
    summary: "A root of trust is not one as `trustkern bundle trust` writes it: edited, cut short, or another file.",
    fix: "take another copy of it from whoever made it",
  },
  BUNDLE_ROOT_BAD_SIGNATURE: {
    exit: EXIT.authentication,
    summary: "A root of trust was edited after it was signed, or somebody signed it who has no key for roots.",
    fix: "take another copy of it from whoever made it",
  },
  BUNDLE_ROOT_BELOW_THRESHOLD: {
    exit: EXIT.authentication,
    summary: "Fewer keys have signed a root of trust than it asks for, or than the root before it asks for.",
    fix: "have the others sign with `trustkern bundle trust sign FILE --key PLACE`",
  },
  BUNDLE_ROOT_GAP: {
    exit: EXIT.policy,
    summary: "The bundle does not have the roots of trust between the one of this site and its own.",
    fix: "take a bundle that has them, or have its root installed in person, as docs/guides/bundle-trust.md says",
  },
  BUNDLE_ROOT_OLD: {
    exit: EXIT.policy,
    summary: "The bundle was signed under an older root of trust than this site has.",
    fix: "have it signed anew under the newest root, with `trustkern bundle sign FILE`",
  },
  BUNDLE_ROOT_FORK: {
    exit: EXIT.policy,
    summary: "There are two roots of trust of one version: this site has the other one.",
    fix: "do not install it, and ask those who hold the root keys at once: one version was signed twice",
  },
  BUNDLE_ROOT_OTHER: {
    exit: EXIT.authentication,
    summary: "The root of trust is not the one of the fingerprint that was handed over.",
    fix: "do not install it; compare the fingerprint with whoever made the root, by another way than the file",
  },
  BUNDLE_ROOT_MISSING: {
    exit: EXIT.notFound,
    summary: "There is no root of trust, which says whose bundles count.",
    fix: "install it in person with `trustkern bundle trust install --root FILE --fingerprint sha256:… --site DIR`; a vendor makes one with `trustkern bundle trust init`",
  },
  BUNDLE_ROOT_INSTALLED: {
    exit: EXIT.policy,
    summary: "There is a root of trust already, and this one does not follow from it.",
    fix: "compare both with `trustkern bundle trust show`; who means to begin anew removes the folder that is named, in person",
  },
  BUNDLE_TRUST_INVALID: {
    exit: EXIT.configuration,
    summary: "What was said of signers, root keys or thresholds makes no root of trust.",
    fix: "name each once, with a P-256 public key of its own, and a threshold that they can reach",
  },
  BUNDLE_SITE_CORRUPT: {
    exit: EXIT.resource,
    summary: "What a site has to remember of bundles is missing, edited or cut short, so that an old one could pass.",
    fix: "restore the folder trust of the site from a backup; or remove it and install the root anew, in person, with `trustkern bundle trust install`",
  },
  BUNDLE_LEDGER_CORRUPT: {
    exit: EXIT.resource,
    summary:
      "The ledger of what was signed is missing in part, edited or cut short, so that a version could be signed twice.",
    fix: "restore the folder bundle of the state directory from a backup; nothing is signed until it is whole",
  },
  BUNDLE_VERSION_TAKEN: {
    exit: EXIT.policy,
    summary: "By this ledger another content was signed as that version, or a newer one already.",
    fix: "have the bundle made anew, which gives it a newer version",
  },
});
