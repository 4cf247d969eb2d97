import { BUNDLE_KEY_OPTIONS } from "./bundle-key-options.ts";
import { SITE_OPTIONS } from "./bundle-site-options.ts";
import { BUNDLE_TRUST_COMMANDS, NAMED_ROOT_OPTIONS } from "./bundle-trust-commands.ts";
import type { Command } from "./command.ts";

/** The commands for bundles, in the order in which help lists them. */
export const BUNDLE_COMMANDS: readonly Command[] = [
  {
    name: "bundle create",
    summary: "one signed file with everything that a site without a network needs",
    options: [
      ["-o, --output <file>", "the bundle, such as site.tkb; must not be there yet"],
      ["--since <file>", "only what changed since that bundle: a delta, for bundle apply"],
      ["--split <size>", "in parts of this size, such as 4GiB, for small media (default: one file)"],
      ...BUNDLE_KEY_OPTIONS,
      ["--warn-after <duration>", "after which sites are told to ask for a newer one (default: 400d)"],
      ["--refresh", "fetch Debian packages anew"],
      ["--dry-run", "list the images, and make nothing"],
    ],
    handlesCancel: true,
    load: () => import("./commands/bundle-create.ts"),
  },
  {
    name: "bundle inspect",
    args: "<file> [other]",
    summary: "what a bundle says that it has, and how another one differs; verifies nothing",
    options: [["--sbom <name>", "print this SBOM: an image's name, or toolkit"]],
    handlesCancel: true,
    load: () => import("./commands/bundle-inspect.ts"),
  },
  {
    name: "bundle verify",
    args: "<file>",
    summary: "whether a bundle counts here, and whether every byte of it is what was signed; touches nothing",
    options: [["--site <dir>", "the site whose trust counts (default: as for bundle install)"], ...NAMED_ROOT_OPTIONS],
    handlesCancel: true,
    load: () => import("./commands/bundle-verify.ts"),
  },
  {
    name: "bundle extract",
    args: "<file>",
    summary:
      "the images of a bundle as one OCI image layout, once the bundle is verified, for tools that read such folders",
    options: [
      ["--oci <folder>", "folder to write; must not be there yet"],
      ["--site <dir>", "the site whose trust counts (default: as for bundle install)"],
      ...NAMED_ROOT_OPTIONS,
    ],
    handlesCancel: true,
    load: () => import("./commands/bundle-extract.ts"),
  },
  {
    name: "bundle apply",
    args: "<delta>",
    summary: "the full bundle that a delta leads to from an old one, byte for byte, once both count here",
    options: [
      ["--to <file>", "the full bundle that the delta changes, or the first of its parts"],
      ["-o, --output <file>", "file to write; must not be there yet"],
      ["--site <dir>", "the site whose trust counts (default: as for bundle install)"],
      ...NAMED_ROOT_OPTIONS,
    ],
    handlesCancel: true,
    load: () => import("./commands/bundle-apply.ts"),
  },
  {
    name: "bundle sign",
    args: "<file>",
    summary: "one more signature on a bundle; where its root of trust is no longer the newest, a new version",
    options: [
      ...BUNDLE_KEY_OPTIONS,
      ...NAMED_ROOT_OPTIONS,
      [
        "--warn-after <duration>",
        "after which sites are told to ask for a newer one, of a new version (default: 400d)",
      ],
      ["--dry-run", "say which version would be signed, and change nothing"],
    ],
    handlesCancel: true,
    load: () => import("./commands/bundle-sign.ts"),
  },
  {
    name: "bundle install",
    args: "<file>",
    summary: "bring a bundle to its site, for the first time or once more, and deploy it",
    options: SITE_OPTIONS,
    handlesCancel: true,
    load: () => import("./commands/bundle-install.ts"),
  },
  {
    name: "bundle upgrade",
    args: "<file>",
    summary:
      "replace a site's version, after a cold copy of everything; goes back by itself when the new one is not well",
    options: SITE_OPTIONS,
    handlesCancel: true,
    load: () => import("./commands/bundle-upgrade.ts"),
  },
  {
    name: "bundle rollback",
    summary: "take a site back to the version before, with the rows that it had; revocations and keys stay as they are",
    options: SITE_OPTIONS,
    handlesCancel: true,
    load: () => import("./commands/bundle-rollback.ts"),
  },
  ...BUNDLE_TRUST_COMMANDS,
];
