import type { Command } from "./command.ts";

/** The commands for the generations of a running deployment, in the order in which help lists them. */
export const KEY_COMMANDS: readonly Command[] = [
  {
    name: "keys list",
    summary:
      "the generations, who uses which, where the keys are, what the schedule says; also while custody is sealed",
    load: () => import("./commands/keys-list.ts"),
  },
  {
    name: "keys rotate",
    summary: "go over to the next generation without a gap; again, to finish what was interrupted",
    options: [
      ["--due", "do what the schedule says and nothing else, for a timer: rotate, and destroy what is due"],
      [
        "--wait <duration>",
        "longest wait for the overlap and for sensors (default: 2m; then exit 9, and it goes on later)",
      ],
      [
        "--overlap <duration>",
        "shorter than custody.schedule.overlap, in profile dev alone; kept for the runs that go on with this rotation",
      ],
      ["--dry-run", "print to which generation, the steps, the overlap's end and what is due, and change nothing"],
    ],
    handlesCancel: true,
    load: () => import("./commands/keys-rotate.ts"),
  },
  {
    name: "keys destroy",
    args: "<key-id>",
    summary:
      "destroy a generation for good, once nothing stored can need it and no sensor uses it; shares of a ceremony outlive it",
    options: [["--dry-run", "say whether it may be destroyed now, and change nothing"]],
    load: () => import("./commands/keys-destroy.ts"),
  },
  {
    name: "keys import",
    args: "<package>",
    summary: "take the generation of a ceremony as the next one; - for stdin",
    options: [
      ["--sha256 <hex>", "what the ceremony's transcript says of the package (default: asks a person to compare)"],
      ["--dry-run", "say whether custody takes it and what state it gets, and change nothing"],
    ],
    load: () => import("./commands/keys-import.ts"),
  },
  {
    name: "keys compromise",
    args: "<key-id>",
    summary: "a private key is in other hands: block it, have another one active at once, and keep signed evidence",
    options: [
      ["--reason <text>", "what happened, for the records: 1 to 200 characters"],
      [
        "--stored <rule>",
        "allow or block what is stored (default: allow; block may follow, cannot be taken back, and makes the key due for destruction at once)",
      ],
      ["--dry-run", "say what would be blocked, and change nothing"],
    ],
    load: () => import("./commands/keys-compromise.ts"),
  },
  {
    name: "keys audit verify",
    summary: "whether custody's audit log is whole and in order, by the key that was pinned at the first start",
    options: [
      ["--kept-head <files>", "signed heads that were kept elsewhere, one a line; files separated by commas"],
      ["--keep <file>", "write the head that was verified, to be kept elsewhere; must not be there yet"],
      [
        "--replicas <folder>",
        "hold the logs of several custodies against each other: NAME/audit and NAME/signer.pem of each in that folder",
      ],
    ],
    load: () => import("./commands/keys-audit-verify.ts"),
  },
  {
    name: "keys transcript verify",
    args: "<file>",
    summary: "whether the transcript of a generation's ceremonies is what their key signed, line after line",
    options: [["--escrow <file>", "the escrow file of the set in force; needed"]],
    load: () => import("./commands/keys-transcript-verify.ts"),
  },
];
