import { BUNDLE_KEY_OPTIONS, joinValues } from "./bundle-key-options.ts";
import type { Command, CommandOption } from "./command.ts";

/** Options that name a root of trust which a person has compared. */
export const NAMED_ROOT_OPTIONS: readonly CommandOption[] = [
  ["--root <file>", "the root of trust, with --fingerprint"],
  ["--fingerprint <sha256>", "its fingerprint, sha256: and 64 hex digits, had by another way than the file"],
];

const ROOT_CHANGE_OPTIONS: readonly CommandOption[] = [
  [
    "--signer <name=file>",
    "who may sign bundles: a name and the file of the public key, PEM; several times",
    joinValues,
  ],
  ["--threshold <n>", "so many of them have to sign a bundle (default: 1)"],
  ["--root-key <name=file>", "who may sign roots of trust, likewise; several times", joinValues],
  ["--root-threshold <n>", "so many of them have to sign a root (default: 1)"],
];

/** The commands that say who may sign bundles, in the order in which help lists them. */
export const BUNDLE_TRUST_COMMANDS: readonly Command[] = [
  {
    name: "bundle trust key",
    args: "<place>",
    summary: "make the key of somebody who signs: an age file, or on a token or in a TPM by a pkcs11: or tpm2: URI",
    options: [
      ["--passphrase-file <file>", "the passphrase of an age file, one line"],
      ["-o, --output <file>", "file of the public key, PEM; must not be there yet (default: PLACE.pub)"],
      ["--dry-run", "say what would be made, and change nothing"],
    ],
    load: () => import("./commands/bundle-trust-key.ts"),
  },
  {
    name: "bundle trust init",
    summary: "the first root of trust of a tenant: who signs bundles and roots, and how many of them",
    options: [
      ...ROOT_CHANGE_OPTIONS,
      ...BUNDLE_KEY_OPTIONS,
      ["--tenant <name>", "whose bundles (default: that of -f or of the folder)"],
      ["--dry-run", "print the root, and change nothing"],
    ],
    load: () => import("./commands/bundle-trust-init.ts"),
  },
  {
    name: "bundle trust rotate",
    summary: "the next root of trust, with other signers, root keys or thresholds; bundles carry it to the sites",
    options: [
      ...ROOT_CHANGE_OPTIONS,
      ["--remove-signer <name>", "whose signatures count no more; several times", joinValues],
      ["--remove-root-key <name>", "likewise for roots; several times", joinValues],
      ...BUNDLE_KEY_OPTIONS,
      ["--dry-run", "print the root, and change nothing"],
    ],
    load: () => import("./commands/bundle-trust-rotate.ts"),
  },
  {
    name: "bundle trust sign",
    args: "<file>",
    summary: "another person's signature on a root of trust, which is shown before",
    options: [
      ...BUNDLE_KEY_OPTIONS,
      ["--previous <file>", "the root before it (default: the one that lies beside it)"],
      ["--dry-run", "print the root, and change nothing"],
    ],
    load: () => import("./commands/bundle-trust-sign.ts"),
  },
  {
    name: "bundle trust show",
    summary: "who may sign, with fingerprints: by the roots of the state directory, a file or a site",
    options: [
      ["--root <file>", "the root of trust in this file"],
      ["--site <dir>", "that of this site, and what it has had"],
    ],
    load: () => import("./commands/bundle-trust-show.ts"),
  },
  {
    name: "bundle trust install",
    summary: "give a site its root of trust, in person: with a fingerprint had by another way than the file",
    options: [
      ["--site <dir>", "folder of the site"],
      ...NAMED_ROOT_OPTIONS,
      ["--dry-run", "say whether it would be installed, and change nothing"],
    ],
    load: () => import("./commands/bundle-trust-install.ts"),
  },
];
