import { PEOPLE_OPTIONS } from "../ceremony-options.ts";
import type { Command } from "../command.ts";
import { DEAL_OPTIONS, IMPORT_KEY_OPTION, SHARE_OPTIONS } from "./options.ts";

/** The commands of ceremonies, in the order in which help lists them. They need no network and nothing that runs. */
export const KEY_CEREMONIES: readonly Command[] = [
  {
    name: "keys ceremony",
    summary: "make a generation offline, with its escrow among holders of shares, for one custody to import",
    options: [
      IMPORT_KEY_OPTION,
      ...DEAL_OPTIONS,
      ["--rehearse", "restore from the shares at once, each of them, and prove it"],
      ["--dry-run", "print who would get which share, make no key and write nothing"],
      ...PEOPLE_OPTIONS,
    ],
    load: () => import("../commands/keys-ceremony.ts"),
  },
  {
    name: "keys rehearse",
    args: "[shares...]",
    summary: "prove that shares restore a generation; without files, they are typed",
    options: [...SHARE_OPTIONS, ...PEOPLE_OPTIONS],
    load: () => import("../commands/keys-rehearse.ts"),
  },
  {
    name: "keys reshare",
    args: "[shares...]",
    summary: "deal the same generation to other holders, by a quorum of those who have it",
    options: [
      ...SHARE_OPTIONS,
      ...DEAL_OPTIONS,
      ["--rehearse", "restore from the new shares at once, each of them, and prove it"],
      ...PEOPLE_OPTIONS,
    ],
    load: () => import("../commands/keys-reshare.ts"),
  },
  {
    name: "keys restore",
    args: "[shares...]",
    summary: "make the package of a lost generation anew, by a quorum of its holders",
    options: [
      ...SHARE_OPTIONS,
      IMPORT_KEY_OPTION,
      ["-o, --output <file>", "file for the package; must not be there yet"],
      ...PEOPLE_OPTIONS,
    ],
    load: () => import("../commands/keys-restore.ts"),
  },
];
