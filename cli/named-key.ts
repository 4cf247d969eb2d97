import type { KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Refuse } from "../operations/signed-file/refusals.ts";
import { trustedKey } from "../operations/signed-file/trusted-key.ts";
import type { CommandContext } from "./command.ts";
import { readInput } from "./files.ts";
import type { Io } from "./io.ts";

/**
 * The key that a signed file is verified with: of `--key`, or that of `--fingerprint` in the `.pub` beside the file; undefined where neither is named.
 * @param name of the signed file, or `-`
 * @throws …_KEY_NEEDED for a fingerprint without its key, …_KEY_INVALID, …_OTHER_KEY, CLI_FILE
 */
export async function namedKey(
  { io, options }: CommandContext,
  name: string,
  refuse: Refuse,
): Promise<KeyObject | undefined> {
  const fingerprint = typeof options.fingerprint === "string" ? options.fingerprint : undefined;
  if (typeof options.key !== "string" && fingerprint === undefined) return undefined;
  const path = typeof options.key === "string" ? options.key : keyBeside(io, name, refuse);
  return trustedKey(Buffer.from(await readInput(io, path)).toString("utf8"), path, fingerprint, refuse);
}

/** `status.pub` of `status.json`. */
export function publicKeyName(name: string): string {
  return `${withoutJson(name)}.pub`;
}

/** A file's name without `.json`, which the files beside it have as well. */
export function withoutJson(name: string): string {
  return name.endsWith(".json") ? name.slice(0, -".json".length) : name;
}

/** A fingerprint says which key is trusted, and not what it is. */
function keyBeside({ cwd }: Io, name: string, refuse: Refuse): string {
  const key = publicKeyName(name);
  if (name !== "-" && existsSync(resolve(cwd, key))) return key;
  const place = name === "-" ? "standard input has no key beside it" : `the key is not beside it: there is no "${key}"`;
  throw refuse("KEY_NEEDED", `a fingerprint alone verifies nothing, and ${place}`, {
    path: "--fingerprint",
    fix: "name the public key that was written with the file with --key FILE, beside --fingerprint",
  });
}
