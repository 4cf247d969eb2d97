import type { Command } from "./command.ts";

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
    name: "diagram",
    summary: "zones, components and flows of the deployment",
    options: [
      ["--format <format>", "mermaid (default: mermaid)"],
      ["-o, --output <file>", "file to write (default: stdout)"],
    ],
    load: () => import("./commands/diagram.ts"),
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
