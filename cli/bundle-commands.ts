import type { Command } from "./command.ts";

/** The commands for bundles, in the order in which help lists them. */
export const BUNDLE_COMMANDS: readonly Command[] = [
  {
    name: "bundle inspect",
    args: "<file> [other]",
    summary: "what a bundle says that it has, and how another one differs; verifies nothing",
    options: [["--sbom <name>", "print this SBOM: an image's name, or toolkit"]],
    handlesCancel: true,
    load: () => import("./commands/bundle-inspect.ts"),
  },
];
