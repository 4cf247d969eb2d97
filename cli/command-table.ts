import { PEOPLE_OPTIONS, ROOT_KEY_OPTIONS } from "./ceremony-options.ts";
import type { Command } from "./command.ts";
import { KEY_CEREMONIES } from "./escrow/command-lines.ts";
import { KEY_COMMANDS } from "./keys-commands.ts";
import { SEALING } from "./sealing-commands.ts";

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  {
    name: "up",
    summary: "run the whole path on this machine, and prove it step by step",
    options: [
      ["--once", "send a fixed number of messages, check every step, print the table and exit"],
      ["--sensors <n>", "simulated sensors (default: the deployment's)"],
      ["--rate <n>", "messages per second over all simulated sensors (default: the deployment's)"],
      ["--fixture <file>", "add the allowlist and the recipient key of a vectors file"],
    ],
    handlesCancel: true,
    load: () => import("./commands/up.ts"),
  },
  {
    name: "init",
    summary: "write a commented trustkern.yaml and its editor schema",
    options: [
      ["--profile <profile>", "what the deployment may be: dev, eu-hosted, customer-tenant, air-gapped"],
      ["--engine <engine>", "what makes components run (default: the profile's)"],
      ["--name <name>", "name of the deployment (default: demo)"],
      ["--tenant <tenant>", "name of the tenant (default: demo)"],
      ["-o, --output <file>", "file to write (default: trustkern.yaml)"],
      ["--dry-run", "print the file and write nothing"],
    ],
    load: () => import("./commands/init.ts"),
  },
  {
    name: "config show",
    summary: "the effective deployment, secrets as references",
    load: () => import("./commands/config-show.ts"),
  },
  {
    name: "config schema",
    summary: "JSON Schema (draft 7) of trustkern.yaml",
    options: [["-o, --output <file>", "file to write (default: stdout)"]],
    load: () => import("./commands/config-schema.ts"),
  },
  {
    name: "profile list",
    summary: "the profiles, and what each is for",
    load: () => import("./commands/profile-list.ts"),
  },
  {
    name: "profile explain",
    args: "<profile>",
    summary: "what a profile allows, line by line with reasons",
    load: () => import("./commands/profile-explain.ts"),
  },
  {
    name: "synth",
    summary: "the Terraform JSON and every configuration file of the deployment; needs no Docker",
    options: [["-o, --output <folder>", "folder to write (default: the Terraform JSON alone, to stdout)"]],
    load: () => import("./commands/synth.ts"),
  },
  {
    name: "plan",
    summary: "what a deploy would change, and what was changed by hand",
    options: [
      ["--out <file>", "keep the plan for trustkern deploy FILE"],
      ["--detailed-exitcode", "exit with 7 when there are changes"],
    ],
    handlesCancel: true,
    load: () => import("./commands/plan.ts"),
  },
  {
    name: "deploy",
    args: "[plan]",
    summary: "make the running containers what the deployment says",
    options: [
      ["--wait", "wait until every health check passes, or say which did not and why"],
      ["--dry-run", "print the plan and change nothing"],
      ["--start-key <where>", "age file of the key that signs the start manifest, or root-device (default: this host)"],
      ["--passphrase-file <file>", "the passphrase of that file, one line"],
    ],
    handlesCancel: true,
    load: () => import("./commands/deploy.ts"),
  },
  {
    name: "status",
    summary: "how every component runs, and what differs from the deployment",
    options: [["--watch", "look again every 2 s until Ctrl-C"]],
    handlesCancel: true,
    load: () => import("./commands/status.ts"),
  },
  {
    name: "destroy",
    summary: "remove containers and networks; what was stored stays",
    options: [
      ["--volumes", "remove what was stored too: rows, decryption keys, secrets"],
      ["--dry-run", "print what would be removed and change nothing"],
    ],
    handlesCancel: true,
    load: () => import("./commands/destroy.ts"),
  },
  {
    name: "images lock",
    summary: "write images.lock.yaml: which bytes each image of the deployment is",
    options: [
      ["--registry <host>", "take every image from this registry instead of upstream's"],
      ["--only <names>", "these images alone, separated by commas"],
      ["--dry-run", "print the lock and write nothing"],
    ],
    load: () => import("./commands/images-lock.ts"),
  },
  {
    name: "images build",
    summary: "make the images on this machine, from packages and this project",
    options: [
      ["--only <names>", "these images alone, separated by commas"],
      ["--refresh", "fetch Debian packages anew"],
      ["--dry-run", "print what would be made from what"],
    ],
    handlesCancel: true,
    load: () => import("./commands/images-build.ts"),
  },
  {
    name: "images list",
    summary: "the images of the deployment, their locks and signatures, and which are here",
    load: () => import("./commands/images-list.ts"),
  },
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
  ...KEY_COMMANDS,
  ...SEALING,
  ...KEY_CEREMONIES,
  {
    name: "gateway list",
    summary: "the gateways that the backend knows, with the made device that each is",
    load: () => import("./commands/gateway-list.ts"),
  },
  {
    name: "gateway assign",
    args: "<gateway> <hardware-id>",
    summary: "give a name to a made device, which may then enrol under it",
    load: () => import("./commands/gateway-assign.ts"),
  },
  {
    name: "gateway allow-again",
    args: "<gateway>",
    summary: "let a gateway that is enrolled enrol once more, such as after an answer that it did not get",
    load: () => import("./commands/gateway-allow-again.ts"),
  },
  {
    name: "gateway revoke",
    args: "<gateway>",
    summary: "revoke a gateway for good: certificates, tokens, and its session at the broker",
    options: [["--reason <reason>", "why, by its name in RFC 5280 (default: unspecified)"]],
    load: () => import("./commands/gateway-revoke.ts"),
  },
  {
    name: "gateway token issue",
    args: "<gateway>",
    summary: "make a bearer token for a gateway, bound to its certificate; printed once",
    options: [
      ["--days <n>", "days until it expires, 1 to 365 (default: 90)"],
      ["--certificate <serial>", "the certificate that it is bound to (default: the gateway's newest)"],
    ],
    load: () => import("./commands/gateway-token-issue.ts"),
  },
  {
    name: "gateway token list",
    args: "<gateway>",
    summary: "the tokens of a gateway, without the tokens themselves",
    load: () => import("./commands/gateway-token-list.ts"),
  },
  {
    name: "gateway token rotate",
    args: "<gateway>",
    summary: "make a new token, and let the others end after an overlap",
    options: [
      ["--days <n>", "days until it expires, 1 to 365 (default: 90)"],
      ["--overlap-hours <n>", "hours for which the others still work, 0 to 168 (default: 24)"],
    ],
    load: () => import("./commands/gateway-token-rotate.ts"),
  },
  {
    name: "gateway token revoke",
    args: "<gateway> <id>",
    summary: "end a token at once, and the gateway's session at the broker",
    load: () => import("./commands/gateway-token-revoke.ts"),
  },
  {
    name: "device import",
    args: "<file>",
    summary: "take a maker's signed record of made devices; - for stdin",
    load: () => import("./commands/device-import.ts"),
  },
  {
    name: "device list",
    summary: "the made devices on record",
    load: () => import("./commands/device-list.ts"),
  },
  {
    name: "device revoke",
    args: "<id>",
    summary: "revoke a made device for good, by its hardware id, with the gateway that it is; or a sensor",
    options: [["--sensor", "the id is a sensor's, as the allowlist has it"]],
    load: () => import("./commands/device-revoke.ts"),
  },
  {
    name: "device maker add",
    args: "<maker>",
    summary: "register the key that signs a maker's record files",
    options: [
      ["--key <hex>", "the key: uncompressed P-256 point"],
      ["--certificate <file>", "certificate of the maker's authority, PEM"],
    ],
    load: () => import("./commands/device-maker-add.ts"),
  },
  {
    name: "doctor",
    summary: "what is missing or wrong on this machine, with fixes",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "diagram",
    summary: "zones, components and flows of the deployment",
    options: [
      ["--format <format>", "mermaid or svg (default: mermaid)"],
      ["-o, --output <file>", "file to write (default: stdout)"],
    ],
    load: () => import("./commands/diagram.ts"),
  },
  {
    name: "verify boundary",
    summary:
      "prove that plaintext and decryption keys stay inside: the model, the stack, what runs, and a marked message",
    options: [
      ["--layers <layers>", "model, rendered, running, data, separated by commas (default: all; fewer prove nothing)"],
    ],
    handlesCancel: true,
    load: () => import("./commands/verify-boundary.ts"),
  },
  {
    name: "evidence",
    summary: "prove the boundary, and write what was found as a signed statement, a page and a summary",
    options: [
      [
        "-o, --output <file>",
        "file to write, .html, .md and .pub beside it; must not be there yet (default: evidence.json)",
      ],
      ["--layers <layers>", "model, rendered, running, data, separated by commas (default: all; fewer prove nothing)"],
      ["--evidence-key <where>", "age file of the key that signs, or root-device (default: this host)"],
      ["--passphrase-file <file>", "the passphrase of that file, one line"],
    ],
    handlesCancel: true,
    load: () => import("./commands/evidence.ts"),
  },
  {
    name: "evidence verify",
    args: "<file>",
    summary: "whether evidence is what a trusted key signed, and what it says; needs no deployment and no network",
    options: [
      [
        "--key <file>",
        "the public key, PEM, as you got it from whoever signs (default: the one that the deployment has pinned)",
      ],
      ["--fingerprint <hex>", "SHA-256 of the public key; without --key, that is in the .pub file beside the evidence"],
      [
        "--deployment <name>",
        "refuse evidence of another deployment (default: that of -f or of the folder, if there is one)",
      ],
      ["--tenant <name>", "refuse evidence of another tenant (default: likewise)"],
      ["--max-age <duration>", "refuse what was seen longer ago, such as 30d (default: any age)"],
    ],
    load: () => import("./commands/evidence-verify.ts"),
  },
  {
    name: "envelope check",
    args: "<file>",
    summary: "run every known answer of a vectors file, for firmware teams",
    load: () => import("./commands/envelope-check.ts"),
  },
  {
    name: "envelope inspect",
    args: "<file>",
    summary: "explain one envelope field by field; hex, base64 or bytes, - for stdin",
    options: [["--vectors <file>", "a vectors file whose keys check the signature and open the payload"]],
    load: () => import("./commands/envelope-inspect.ts"),
  },
  {
    name: "envelope prove",
    args: "<sensor> <boot> <seq>",
    summary: "a stored row's bytes, signature, allowlist version and key generation, checked anew",
    load: () => import("./commands/envelope-prove.ts"),
  },
  {
    name: "explain",
    args: "<code>",
    summary: "what an error code means and what mends it",
    load: () => import("./commands/explain.ts"),
  },
];
