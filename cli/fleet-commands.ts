import type { Command } from "./command.ts";

/** The commands for gateways and devices, in the order in which help lists them. */
export const FLEET_COMMANDS: readonly Command[] = [
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
    name: "gateway export",
    args: "<gateway>",
    summary: "write what a gateway needs on a machine of its own, with a token that it enrols with once",
    options: [
      ["-o, --output <file>", "archive to write (mode 0600), such as gw-07.tar.gz; must not be there yet"],
      ["--platform <platform>", "linux-arm64 or linux-amd64 (default: linux-arm64)"],
      ["--address <host>", "where the gateway reaches this deployment (default: docker.publishAddress)"],
      ["--hours <n>", "hours until the token expires, 1 to 168 (default: 168)"],
      ["--runtime <file>", "npm package with the platform's Node runtime (default: the installed one, or fetched)"],
      ["--dry-run", "look at everything, make no token and write nothing"],
    ],
    handlesCancel: true,
    load: () => import("./commands/gateway-export.ts"),
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
];
