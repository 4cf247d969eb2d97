import { PEOPLE_OPTIONS, ROOT_KEY_OPTIONS } from "./ceremony-options.ts";
import type { Command } from "./command.ts";

/** The commands for certificates, in the order in which help lists them. */
export const CERTS_COMMANDS: readonly Command[] = [
  {
    name: "certs init",
    summary:
      "the key ceremony: makes the authorities, prints their fingerprints, and leaves the root's key nowhere online",
    options: [
      ...ROOT_KEY_OPTIONS,
      ...PEOPLE_OPTIONS,
      ["--makers <makers>", "makers of devices that get an authority each, separated by commas"],
    ],
    load: () => import("./commands/certs-init.ts"),
  },
  {
    name: "certs transcript verify",
    args: "[file]",
    summary: "whether a ceremony's transcript is what the root signed, about the authorities in use",
    options: [["--root <file>", "the root's certificate, from where it is trusted (default: the deployment's)"]],
    load: () => import("./commands/certs-transcript-verify.ts"),
  },
  {
    name: "certs maker add",
    args: "<maker>",
    summary: "have the root sign an authority for the devices of one more maker",
    options: PEOPLE_OPTIONS,
    load: () => import("./commands/certs-maker-add.ts"),
  },
  {
    name: "certs list",
    summary: "every certificate on this host: whose, until when, where it is used, how much of its life is left",
    options: [
      ["--format <format>", "table or prometheus (default: table)"],
      ["--fleet", "also those that gateways and operators hold, as the backend has them on record"],
    ],
    load: () => import("./commands/certs-list.ts"),
  },
  {
    name: "certs issue",
    args: "<name>",
    summary: "issue the certificate of a svc-, gw- or op- name, or of a device by its hardware id",
    options: [
      ["-o, --output <file>", "file to write, with the new key if one is made (mode 0600); must not be there yet"],
      ["--csr <file>", "certify the key of this request, and make none"],
      ["--maker <maker>", "the device's maker, with --model and --csr"],
      ["--model <model>", "the device's model"],
    ],
    load: () => import("./commands/certs-issue.ts"),
  },
  {
    name: "certs export",
    args: "<file>",
    summary: "a certificate with its key, as certs issue wrote it, as PKCS #12 for Windows, iOS and browsers",
    options: [
      ["-o, --output <file>", "file to write, such as op-admin.p12; must not be there yet"],
      ["--passphrase-file <file>", "what protects it, one line: 12 to 128 of printable ASCII"],
      ["--legacy", "Triple DES and SHA-1, for systems that read nothing newer"],
    ],
    load: () => import("./commands/certs-export.ts"),
  },
  {
    name: "certs renew",
    summary: "renew every leaf in the last third of its life; needs no network",
    options: [["--watch", "look every minute until Ctrl-C or SIGTERM"]],
    handlesCancel: true,
    load: () => import("./commands/certs-renew.ts"),
  },
  {
    name: "certs rotate",
    summary:
      "replace an authority, a leaf, the broker's pin or a token without a gap; again, to finish what was interrupted",
    options: [
      ["--what <what>", "root, intermediate:CLASS, leaf:COMPONENT, pin or token:GATEWAY (default: what has begun)"],
      ["--dry-run", "print the steps and who is concerned, and change nothing"],
      ["--status", "print who still uses the old"],
      ["--abandon", "give up what has begun, while nobody has the new in use"],
      ["--limit <seconds>", "longest wait for those who have not followed a step (default: 120)"],
      ...ROOT_KEY_OPTIONS,
      ...PEOPLE_OPTIONS,
    ],
    handlesCancel: true,
    load: () => import("./commands/certs-rotate.ts"),
  },
  {
    name: "certs revoke",
    args: "<serial>",
    summary: "take a certificate back; its open sessions end",
    options: [["--reason <reason>", "by RFC 5280, such as keyCompromise (default: unspecified)"]],
    load: () => import("./commands/certs-revoke.ts"),
  },
  {
    name: "certs crl",
    summary:
      "every issuer's revocation list: this host's, made anew where they are due, and those that step-ca publishes",
    options: [
      ["--publish", "give this host's to the backend, which the broker has them from"],
      ["-o, --output <file>", "write all of them to a file, PEM; must not be there yet"],
    ],
    load: () => import("./commands/certs-crl.ts"),
  },
  {
    name: "certs audit verify",
    summary:
      "whether the ledgers of issued and revoked certificates, this host's and the backend's, are whole and in order",
    options: [
      [
        "--head <files>",
        "signed heads that were kept elsewhere, one a line, of either ledger; files separated by commas",
      ],
      ["--require-backend", "fail where the backend does not answer (default: say so)"],
      ["-o, --output <file>", "write the heads that were verified, to be kept elsewhere; must not be there yet"],
    ],
    load: () => import("./commands/certs-audit-verify.ts"),
  },
];
