import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const CALLS = "openat,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,write,pwrite64,pwritev,writev";
const CALL = /^\d+ +(?<name>[a-z0-9]+)\((?<args>.*?)(?: <unfinished \.\.\.>| += .*)?$/;

/** A system call on a file of the traced folder, or a word that the program said. */
export interface Call {
  readonly name: string;
  /** Path below the folder; for a rename the new one; for `said` the word. */
  readonly path: string;
  /** The arguments, as strace prints them. */
  readonly args: string;
}

/** Runs a program of Node.js with that folder as its argument; gives what it did there, in the order in which it began. */
export function traced(program: string, folder: string): readonly Call[] {
  const file = join(folder, "trace");
  const strace = ["-f", "-y", "--seccomp-bpf", "-s", "64", "-e", `trace=${CALLS}`, "-o", file];
  execFileSync("strace", [...strace, process.execPath, program, folder], { stdio: ["ignore", "pipe", "inherit"] });
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => callOf(line, folder));
}

function callOf(line: string, folder: string): readonly Call[] {
  const { name, args } = CALL.exec(line)?.groups ?? {};
  // What failed, such as an attempt to remove a file that is not there, changed nothing.
  if (name === undefined || args === undefined || / = -1 /.test(line)) return [];
  const word = name === "write" ? /^1<.*>, "(\w+)\\n"/.exec(args)?.[1] : undefined;
  if (word !== undefined) return [{ name: "said", path: word, args }];
  const paths = [...args.matchAll(/["<](\/[^">]*)[">]/g)].map(([, path = ""]) => path);
  const path = paths.findLast((each) => each.startsWith(`${folder}/`));
  return path === undefined ? [] : [{ name, path: path.slice(folder.length + 1), args }];
}

/** Whether a file was opened to write in it. */
export function isForWriting({ name, args }: Call): boolean {
  return name === "openat" && /\bO_(?:RDWR|WRONLY)\b/.test(args);
}

/** Where a file came to be under its last name, or ceased to be: a change that its folder must confirm. */
export function isChangeOfFolder(call: Call): boolean {
  if (call.path.endsWith(".tmp")) return false;
  return /^(?:rename|unlink)/.test(call.name) || (isForWriting(call) && call.args.includes("O_CREAT"));
}

/**
 * Whether the folder is on the disk before the program goes on: before it writes in that file, replaces it, or says
 * anything.
 */
export function isConfirmed(change: Call, later: readonly Call[]): boolean {
  const folder = dirname(change.path);
  const next = later.find(
    ({ name, path }) =>
      name === "said" || (name === "fsync" && path === folder) || (/write|rename/.test(name) && path === change.path),
  );
  return next?.name === "fsync";
}
