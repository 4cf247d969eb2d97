import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { messageOf } from "../shared/errors.ts";
import { cliErrors } from "./errors.ts";
import type { Io } from "./io.ts";

/**
 * The bytes of a file named on the command line, or of standard input for `-`.
 * @throws CLI_FILE
 */
export async function readInput(io: Io, name: string): Promise<Uint8Array> {
  if (name === "-") return io.stdin();
  try {
    return readFileSync(resolve(io.cwd, name));
  } catch (cause) {
    throw cliErrors.error("CLI_FILE", `cannot read "${name}": ${messageOf(cause)}`, { path: name, cause });
  }
}

/**
 * Writes a file that is not there yet.
 * @throws CLI_FILE_EXISTS
 * @throws CLI_OUTPUT
 */
export function writeNew(io: Io, name: string, content: string | Uint8Array, mode = 0o666): void {
  try {
    writeFileSync(resolve(io.cwd, name), content, { flag: "wx", mode });
  } catch (cause) {
    const exists = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const code = exists ? "CLI_FILE_EXISTS" : "CLI_OUTPUT";
    throw cliErrors.error(code, `cannot write "${name}": ${messageOf(cause)}`, { path: name, cause });
  }
}

/**
 * Writes what holds a private key to a file of mode 0600 that is not there yet.
 * @throws CLI_FILE_EXISTS
 * @throws CLI_OUTPUT
 */
export function writeSecret(io: Io, name: string, content: string | Uint8Array): void {
  writeNew(io, name, content, 0o600);
}

/**
 * Writes a result to the file of `-o`, replacing it, or to stdout where there is none.
 * @throws CLI_OUTPUT
 */
export function writeOutput(io: Io, name: string | undefined, content: string): void {
  if (name === undefined) {
    io.stdout(content);
    return;
  }
  try {
    writeFileSync(resolve(io.cwd, name), content);
  } catch (cause) {
    throw cliErrors.error("CLI_OUTPUT", `cannot write "${name}": ${messageOf(cause)}`, { path: name, cause });
  }
}

/**
 * Writes files below a folder, which is made where it is missing; files that are there are replaced, others stay.
 * @param files path below the folder to content
 * @throws CLI_OUTPUT
 */
export function writeFolder(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    } catch (cause) {
      throw cliErrors.error("CLI_OUTPUT", `cannot write "${file}": ${messageOf(cause)}`, { path: file, cause });
    }
  }
}
