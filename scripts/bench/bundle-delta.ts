import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BundleBench, type Measure, shell, sizeOf, timed } from "./bundle.ts";

/** A line of the gateway's program, and another one in its place. */
const CHANGE = {
  file: "services/gateway/gateway.ts",
  from: '"signed document refused"',
  to: '"a signed document was refused"',
};

/** What is no source of a bundle, and large or private. */
const LEFT_OUT = new Set([".git", ".trustkern", "node_modules"]);

/**
 * The delta after one of our services changed by a line: made by a copy of the project that has the change, and applied to the bundle that the
 * project makes without it. What comes out has to be the bundle that the copy makes whole.
 */
export async function deltaAfterOneService({ folder, sign, trust, bundle }: BundleBench): Promise<readonly Measure[]> {
  const tree = join(folder, "changed");
  await copyWithChange(join(import.meta.dirname, "..", ".."), tree);
  const at = (name: string): string => join(folder, name);
  const changed = (...args: readonly string[]): Promise<void> => {
    const main = join(tree, "cli", "main.ts");
    return shell('cd "$1"; shift; exec "$@"', folder, process.execPath, main, "bundle", ...args, "--progress=quiet");
  };
  const make = await timed(() => changed("create", "--since", bundle, "-o", at("delta.tkb"), ...sign));
  const apply = await timed(() => changed("apply", at("delta.tkb"), "--to", bundle, "-o", at("applied.tkb"), ...trust));
  await changed("create", "-o", at("whole.tkb"), ...sign);
  await shell('cmp "$1" "$2"', at("applied.tkb"), at("whole.tkb"));
  const sizes = [sizeOf(at("delta.tkb")), sizeOf(at("applied.tkb"))] as const;
  for (const name of ["delta.tkb", "applied.tkb", "whole.tkb"]) rmSync(at(name));
  rmSync(tree, { recursive: true });
  return [
    { what: "`bundle create --since`, a line of one service changed: the delta", seconds: make, bytes: sizes[0] },
    { what: "`bundle apply` of it: the new bundle, byte for byte", seconds: apply, bytes: sizes[1] },
  ];
}

async function copyWithChange(project: string, tree: string): Promise<void> {
  cpSync(project, tree, { recursive: true, filter: (from) => !LEFT_OUT.has(from.slice(project.length + 1)) });
  const copy = 'cp --archive --link "$1" "$2" 2> /dev/null || { rm -rf "$2/node_modules"; cp --archive "$1" "$2"; }';
  await shell(copy, join(project, "node_modules"), tree);
  const file = join(tree, CHANGE.file);
  const text = readFileSync(file, "utf8");
  if (text.split(CHANGE.from).length !== 2)
    throw new Error(`${CHANGE.file} has no line of its own with ${CHANGE.from}`);
  writeFileSync(file, text.replace(CHANGE.from, CHANGE.to));
}
