import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  const file = claimOutput(io, name, mode);
  try {
    file.write(content);
  } finally {
    file.release();
  }
}

/** A file that is there, is empty, and is this command's to write. */
export interface ClaimedOutput {
  /** As it was named on the command line. */
  readonly name: string;
  /** @throws CLI_OUTPUT */
  readonly write: (content: string | Uint8Array) => void;
  /** Ends the claim: a file that nothing was written into, whole, is removed. Done again, it comes to the same. */
  readonly release: () => void;
}

/**
 * Makes the file of a result before the work is done whose result it takes, so that nothing is done for a file that cannot be written.
 * @param mode of the file, such as 0o600 for what holds a private key
 * @throws CLI_FILE_EXISTS
 * @throws CLI_OUTPUT
 */
export function claimOutput(io: Io, name: string, mode = 0o666): ClaimedOutput {
  const path = resolve(io.cwd, name);
  const descriptor = attempt(name, () => openSync(path, "wx", mode), "CLI_FILE_EXISTS");
  let [open, whole] = [true, false];
  return {
    name,
    write: (content) => {
      attempt(name, () => writeFileSync(descriptor, content));
      whole = true;
    },
    release: () => {
      if (open) closeSync(descriptor);
      if (open && !whole) rmSync(path, { force: true });
      open = false;
    },
  };
}

function attempt<T>(name: string, work: () => T, ifThere: "CLI_OUTPUT" | "CLI_FILE_EXISTS" = "CLI_OUTPUT"): T {
  try {
    return work();
  } catch (cause) {
    const exists = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const code = exists ? ifThere : "CLI_OUTPUT";
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
  attempt(name, () => writeFileSync(resolve(io.cwd, name), content));
}

/**
 * Writes files below a folder, which is made where it is missing; files that are there are replaced, others stay.
 * @param files path below the folder to content
 * @throws CLI_OUTPUT
 */
export function writeFolder(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    attempt(file, () => {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    });
  }
}
