import { catalogue, EXIT } from "../../../shared/errors.ts";

const COPY_AGAIN =
  "copy the bundle again from where it was made, and compare with `sha256sum` there and here; have another medium at hand";

/** Error codes of the file that a bundle is: why one cannot be read, and why none can be written. */
export const bundleFormatErrors = catalogue({
  BUNDLE_NOT_FOUND: {
    exit: EXIT.notFound,
    summary: "There is no such bundle, or it cannot be read.",
    fix: "name the file, such as site.tkb, or the first of its parts, such as site.tkb.001",
  },
  BUNDLE_MALFORMED: {
    exit: EXIT.configuration,
    summary: "The file is not a bundle as `trustkern bundle create` writes it: edited, mixed up, or something else.",
    fix: COPY_AGAIN,
  },
  BUNDLE_OTHER_FORM: {
    exit: EXIT.configuration,
    summary: "The bundle has a form that another version of the toolkit knows, and this one does not.",
    fix: "use the toolkit that is in the bundle: `sh start.sh site.tkb`",
  },
  BUNDLE_TRUNCATED: {
    exit: EXIT.configuration,
    summary: "The bundle, or a part of it, ends before it should.",
    fix: COPY_AGAIN,
  },
  BUNDLE_PART_MISSING: {
    exit: EXIT.notFound,
    summary: "A part of a bundle that was split is not beside the others.",
    fix: "put all parts into one folder, under the names that they were written with, and name the first",
  },
  BUNDLE_DAMAGED: {
    exit: EXIT.authentication,
    summary: "Bytes of the bundle are not those that its manifest names.",
    fix: COPY_AGAIN,
  },
  BUNDLE_INFLATES: {
    exit: EXIT.authentication,
    summary: "A segment of the bundle unpacks to more than its manifest says.",
    fix: "do not use this bundle; ask whoever signed it",
  },
  BUNDLE_NO_ENTRY: {
    exit: EXIT.notFound,
    summary: "The bundle has no file or image of that name.",
    fix: "`trustkern bundle inspect FILE` lists what it has",
  },
  BUNDLE_TOO_LARGE: {
    exit: EXIT.configuration,
    summary: "A file of the bundle is larger than such files are, and is not held in memory.",
    fix: "do not use this bundle; ask whoever signed it",
  },
  BUNDLE_SOURCE_CHANGED: {
    exit: EXIT.failed,
    summary: "What was to go into a bundle is not what it was when its digest was taken.",
    fix: "let nothing else write to the cache, the deployment and the toolkit while a bundle is made, and make it again",
  },
  BUNDLE_OUTPUT_THERE: {
    exit: EXIT.configuration,
    summary: "A file that is to be written is there already; a bundle is never written over.",
    fix: "name another file, or remove that one",
  },
  BUNDLE_NOT_WRITABLE: {
    exit: EXIT.resource,
    summary: "The place where a bundle is to be written, or changed, takes no writing.",
    fix: "name a folder that you may write to, on a medium that is not read-only",
  },
  BUNDLE_DISK_FULL: {
    exit: EXIT.resource,
    summary: "The disk has no room for what is to be written; nothing of it was left there.",
    fix: "make room, or name another disk; `trustkern bundle create --split 4GiB` makes a bundle in parts for several media",
  },
  BUNDLE_SPLIT_RANGE: {
    exit: EXIT.configuration,
    summary: "The size of parts is out of its range.",
    fix: "name a size of parts as --split 4GiB",
  },
  BUNDLE_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "The work on a bundle was cancelled; nothing was left behind.",
    fix: "run the command again",
  },
});
