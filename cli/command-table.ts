import { BUNDLE_COMMANDS } from "./bundle-commands.ts";
import { CERTS_COMMANDS } from "./certs-commands.ts";
import type { Command } from "./command.ts";
import { KEY_CEREMONIES } from "./escrow/command-lines.ts";
import { FLEET_COMMANDS } from "./fleet-commands.ts";
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
    summary: "the Terraform JSON and every configuration file of the deployment; needs no Docker and no cluster",
    options: [["-o, --output <folder>", "folder to write (default: the Terraform JSON alone, to stdout)"]],
    load: () => import("./commands/synth.ts"),
  },
  {
    name: "export compose",
    summary: "the deployment as a file for Docker Compose; needs no Docker",
    options: [["-o, --output <folder>", "folder to write compose.yaml to (default: to stdout)"]],
    load: () => import("./commands/export-compose.ts"),
  },
  {
    name: "export kubernetes",
    summary: "the deployment as plain manifests for GitOps, an object in each file; needs no cluster",
    options: [["-o, --output <folder>", "folder to write, with nothing else in it (default: all objects, to stdout)"]],
    load: () => import("./commands/export-kubernetes.ts"),
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
    summary: "make what runs, on docker or in a cluster, what the deployment says",
    options: [
      ["--wait", "wait until every health check passes, or say which did not and why"],
      ["--dry-run", "print the plan and change nothing"],
      ["--start-key <where>", "age file of the key that signs the start manifest, or root-device (default: this host)"],
      ["--passphrase-file <file>", "the passphrase of that file, one line"],
      ["--timeout <seconds>", "on Kubernetes: longest wait for pods (default: 600)"],
      [
        "--applied-elsewhere",
        "on Kubernetes: GitOps or Terraform applies the objects; write the Secrets, wait, unseal",
      ],
    ],
    handlesCancel: true,
    load: () => import("./commands/deploy.ts"),
  },
  {
    name: "status",
    summary: "how every component runs, and what differs from the deployment",
    options: [
      ["--watch", "look again every 2 s until Ctrl-C"],
      [
        "--export <file>",
        "write it signed, for somebody to carry out, the public key beside it; must not be there yet",
      ],
      ["--status-key <where>", "age file of the key that signs that, or root-device (default: this host)"],
      ["--passphrase-file <file>", "the passphrase of that file, one line"],
    ],
    handlesCancel: true,
    load: () => import("./commands/status.ts"),
  },
  {
    name: "status verify",
    args: "<file>",
    summary: "whether a status file is what a site's key signed, and what it says; needs no deployment and no network",
    options: [
      ["--key <file>", "the site's public key, PEM, as you got it in person"],
      [
        "--fingerprint <hex>",
        "SHA-256 of the public key; without --key, that is in the .pub file beside the status file",
      ],
      [
        "--deployment <name>",
        "refuse the status of another deployment (default: that of -f or of the folder, if there is one)",
      ],
      ["--tenant <name>", "refuse the status of another tenant (default: likewise)"],
      ["--max-age <duration>", "refuse what was written longer ago, such as 30d (default: any age)"],
    ],
    load: () => import("./commands/status-verify.ts"),
  },
  {
    name: "destroy",
    summary: "remove what runs, on docker or in a cluster; what was stored stays",
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
  ...CERTS_COMMANDS,
  ...KEY_COMMANDS,
  ...SEALING,
  ...KEY_CEREMONIES,
  ...FLEET_COMMANDS,
  ...BUNDLE_COMMANDS,
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
