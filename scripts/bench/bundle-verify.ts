import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BundleBench, type Cost, costOf, type Measure, shell } from "./bundle.ts";

/** What `bundle verify` and the hashes are called in the table. */
export const VERIFY = {
  toolkit: "`bundle verify` by the bundle's own toolkit",
  clone: "`bundle verify` of a clone",
  coreutils: "`sha256sum` of the bundle",
  openssl: "`openssl dgst -sha256` of the bundle",
} as const;

/** Has a process of Node.js write the most memory that it has had, as the kernel counted it. */
const PEAK = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync(process.env.PEAK_FILE, readFileSync("/proc/self/status")));
`)}`;

/** `bundle verify` as a site runs it and as a clone does, and the hash that it is held against, by two programs. */
export async function verify({ folder, main, trust, bundle }: BundleBench): Promise<readonly Measure[]> {
  const tools = join(folder, "verifier");
  const start = join(folder, "start.sh");
  await shell('tar -xOf "$1" start.sh > "$2" && sh "$2" "$1" --to "$3" --version', bundle, start, tools);
  const command = ["--progress=quiet", "bundle", "verify", bundle, ...trust];
  return [
    { what: VERIFY.toolkit, ...(await peakOf(folder, [join(tools, "trustkern"), ...command])) },
    { what: VERIFY.clone, ...(await peakOf(folder, [process.execPath, main, ...command])) },
    { what: VERIFY.coreutils, ...(await costOf(["sha256sum", bundle])) },
    { what: VERIFY.openssl, ...(await costOf(["openssl", "dgst", "-sha256", bundle])) },
  ];
}

async function peakOf(folder: string, words: readonly string[]): Promise<Omit<Measure, "what">> {
  const file = join(folder, "status");
  const cost: Cost = await costOf(["env", `NODE_OPTIONS=--import=${PEAK}`, `PEAK_FILE=${file}`, ...words]);
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, "utf8")) ?? [];
  return { ...cost, memory: Number(kibibytes) * 1024 };
}
