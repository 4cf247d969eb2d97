import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of a site that takes bundles. */
export const siteErrors = catalogue({
  BUNDLE_SITE_UNWRITABLE: {
    exit: EXIT.resource,
    summary: "The site's folder cannot be written: its disk is full, it is read-only, or it is another user's.",
    fix: "free space or mount it to be written, as the user who owns it, and run the same command again: it goes on where it stopped",
  },
  BUNDLE_SITE_SPLIT: {
    exit: EXIT.configuration,
    summary: "Folders of one site lie on several file systems, so that none replaces another at once.",
    fix: "mount a file system on the site's folder itself, and not on a folder in it",
  },
  BUNDLE_SITE_FOREIGN: {
    exit: EXIT.policy,
    summary:
      "A folder of the site is a link, another user's, or open to be written by everybody: what is done there could be led elsewhere.",
    fix: "name the folder itself with --site where it is behind a link; run as the user who owns the site; close it with `chmod o-w`; and take away what somebody else put in it",
  },
  BUNDLE_JOURNAL_CORRUPT: {
    exit: EXIT.resource,
    summary: "The site's journal holds a line that this toolkit did not write.",
    fix: "restore journal.jsonl of the site from a copy of its disk; without one, compare `trustkern status` with the folder that `current` names before anything else",
  },
  BUNDLE_OTHER_MACHINE: {
    exit: EXIT.configuration,
    summary: "The bundle is for another kind of processor than this machine has.",
    fix: "have the bundle made on a machine like this one: it carries programs",
  },
  BUNDLE_DELTA_ALONE: {
    exit: EXIT.configuration,
    summary: "The bundle has only what changed since another, so nothing can be installed of it alone.",
    fix: "rebuild the full bundle first: trustkern bundle apply DELTA.tkb --to OLD.tkb -o FULL.tkb",
  },
  BUNDLE_NAME_RESERVED: {
    exit: EXIT.configuration,
    summary: "The bundle puts a file where the site keeps the bundle's own manifest and signatures.",
    fix: "make the bundle anew: no file of it may be called manifest.json or signatures.json",
  },
  BUNDLE_INSTALLED: {
    exit: EXIT.configuration,
    summary: "The site has a version already, and install replaces none.",
    fix: "trustkern bundle upgrade FILE, which copies everything first and has a way back",
  },
  BUNDLE_NOT_INSTALLED: {
    exit: EXIT.notFound,
    summary: "The site has no version that could be upgraded or taken back.",
    fix: "trustkern bundle install FILE",
  },
  BUNDLE_RUN_OPEN: {
    exit: EXIT.configuration,
    summary: "An install, an upgrade or a way back was begun on this site and is not done.",
    fix: "finish it with the same bundle, or go back with trustkern bundle rollback",
  },
  BUNDLE_NO_WAY_BACK: {
    exit: EXIT.notFound,
    summary: "There is no copy of an earlier version to go back to.",
    fix: "install the version that is wanted as a bundle of its own; a site keeps the copy of the last upgrade alone",
  },
  BUNDLE_VERSION_DAMAGED: {
    exit: EXIT.resource,
    summary:
      "Files or images of a version on this site are not, or no longer, what its bundle brought: nothing of them is run.",
    fix: "put them in place anew with the bundle of that version: trustkern bundle install FILE",
  },
  BUNDLE_PREFLIGHT: {
    exit: EXIT.resource,
    summary: "This machine cannot take the bundle as it is; nothing was touched.",
    fix: "mend every line that the message names, and run the same command again",
  },
  BUNDLE_NO_ROOM: {
    exit: EXIT.resource,
    summary:
      "A disk has less free space than the version and the cold copy of an upgrade take, or the Docker Engine while it loads images.",
    fix: "free space, or mount a larger disk on that folder",
  },
  BUNDLE_IMAGES_REFUSED: {
    exit: EXIT.resource,
    summary: "The Docker Engine did not take the bundle's images, or has others under their names.",
    fix: "see what the engine says (journalctl -u docker), free its disk (`docker system df`), and run the same command again: it goes on where it stopped",
  },
  BUNDLE_DEPLOY_FAILED: {
    exit: EXIT.resource,
    summary: "The bundle is in place, and its toolkit did not bring the deployment up.",
    fix: "mend what the toolkit said above, and run the same command again: it goes on with the deploy",
  },
  BUNDLE_UPGRADE_UNDONE: {
    exit: EXIT.resource,
    summary: "The new version did not become well, and the site is what it was before.",
    fix: "read why above; what the new version left is in the folder that the message names, until the next upgrade",
  },
  BUNDLE_WAY_BACK_STOPPED: {
    exit: EXIT.resource,
    summary: "The way back to the old version is not done.",
    fix: "mend what the message says and run trustkern bundle rollback: it goes on where it stopped; where files or images of the old version are gone, trustkern bundle install FILE with the bundle of that version goes on",
  },
  BUNDLE_FORWARD_REFUSED: {
    exit: EXIT.resource,
    summary: "What is revoked, used up or destroyed cannot be carried over to the version before.",
    fix: "mend what the message says and run trustkern bundle rollback again; the state is as the newer version left it, and nothing was put back",
  },
  BUNDLE_SITE_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "Cancelled; what was begun is in the journal.",
    fix: "run the same command again: it goes on where it stopped; an upgrade goes back with trustkern bundle rollback",
  },
});
