import { hash } from "node:crypto";
import { readPackage } from "../../custody/package.ts";
import { EXIT } from "../../shared/errors.ts";
import { MANAGE_MS } from "../../stacks/host/custody-management.ts";
import { generationErrors } from "../../stacks/host/generations/errors.ts";
import { planImport } from "../../stacks/host/generations/import.ts";
import { openGenerations } from "../../stacks/host/generations/site.ts";
import type { CommandContext, Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { cliErrors } from "../errors.ts";
import { readInput } from "../files.ts";
import { printChange } from "./gateway-backend.ts";
import { changingKeys, generationsSite } from "./keys-context.ts";

/**
 * `keys import PACKAGE`: the generation of a ceremony is next; `keys rotate` goes over to it. Anybody can seal a key of his own to
 * the import key, so the package is held against what its ceremony's signed transcript says, by its digest or by a person.
 */
export const run: Run = async (context) => {
  const { io, args, options } = context;
  const [name = ""] = args;
  const dryRun = options.dryRun === true;
  const bytes = await readInput(io, name);
  const packaged = readPackage(bytes, name === "-" ? "stdin" : name);
  const sha256 = hash("sha256", bytes);
  const isTold = assertTold(context, sha256);
  const site = await generationsSite(context);
  using generations = openGenerations(site);
  const planned = await planImport(generations, site.deployment.tenant, packaged);
  if (!dryRun && !isTold) await confirm(context, comparing(sha256));
  const { keyId, state } = dryRun
    ? { keyId: packaged.keyId, state: planned }
    : await changingKeys(site, async ({ management }) =>
        management.call("import", { actor: site.actor, package: bytes }, MANAGE_MS),
      );
  const next = state === "next" ? "; trustkern keys rotate goes over to it" : "";
  const words = `generation ${keyId} ${dryRun ? "would be" : "is"} ${state}${next}`;
  const shown = dryRun && !isTold ? `${words}\nSHA-256 of the package: ${sha256}` : words;
  printChange(context, "trustkern.keys-imported/1", { keyId, state, sha256, dryRun }, shown);
  return EXIT.done;
};

/**
 * Whether the transcript's digest was given, and is the package's. A `--yes` for everything does not answer what only the
 * transcript knows.
 * @throws KEYS_PACKAGE_DIFFERS, CONFIRMATION_NEEDED, CLI_USAGE for what is no SHA-256
 */
function assertTold({ options, flags }: CommandContext, sha256: string): boolean {
  const { sha256: said, dryRun } = options;
  if (typeof said !== "string") {
    if (!flags.yes || dryRun === true) return false;
    throw cliErrors.error("CONFIRMATION_NEEDED", `nobody has compared the package, whose SHA-256 is ${sha256}`, {
      fix: "give --sha256 with what the transcript of its ceremony says behind `package`",
    });
  }
  const plain = said.replaceAll(/\s/g, "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(plain)) {
    const fix = "give the 64 hex digits behind `package` in the transcript; spaces between them do not matter";
    throw cliErrors.error("CLI_USAGE", `--sha256 has ${plain.length} characters; accepted: 64 hex digits`, { fix });
  }
  if (plain === sha256) return true;
  throw generationErrors.error("KEYS_PACKAGE_DIFFERS", `its SHA-256 is ${sha256}, and --sha256 says ${plain}`);
}

function comparing(sha256: string): string {
  return `The package has SHA-256 ${sha256}. Whoever had it on its way can have put a key of his own in its place: go on only where the transcript of its ceremony has the same behind "package".`;
}
