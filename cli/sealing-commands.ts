import type { Command } from "./command.ts";

/** The commands that open and close custody, in the order in which help lists them. */
export const SEALING: readonly Command[] = [
  {
    name: "keys unseal",
    summary:
      "check this host against the signed start manifest, and only where all of it fits have custody open its keys",
    options: [
      ["--watch", "stay, and do so whenever custody has started; what keys seal has sealed stays sealed"],
      [
        "--signer <sha256>",
        "the only key that may have signed the manifest (default: the one pinned at the first deploy)",
      ],
      ["--systemd", "print a unit that runs --watch after each boot, and do nothing else"],
      ["--dry-run", "check, and change nothing"],
    ],
    handlesCancel: true,
    load: () => import("./commands/keys-unseal.ts"),
  },
  {
    name: "keys token-server",
    summary: "with custody.kind pkcs11 on the engine docker: let custody's container use the token of this host",
    options: [["--systemd", "print a unit that does so from each boot on, and do nothing else"]],
    handlesCancel: true,
    load: () => import("./commands/keys-token-server.ts"),
  },
  {
    name: "keys seal",
    summary: "have custody forget every key until keys unseal; messages wait meanwhile",
    options: [
      ["--reason <reason>", "why, for the records (default: ordered by an operator)"],
      ["--dry-run", "say whether it is sealed, and change nothing"],
    ],
    load: () => import("./commands/keys-seal.ts"),
  },
];
