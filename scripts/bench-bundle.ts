import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { buildImages } from "../operations/images/build/build-images.ts";
import pkg from "../package.json" with { type: "json" };
import { createDockerCli } from "../stacks/host/docker-cli.ts";
import { type BundleBench, type Measure, type Measured, shell } from "./bench/bundle.ts";
import { createAll, exampleImages, imagesAlone } from "./bench/bundle-create.ts";
import { deltaAfterOneService } from "./bench/bundle-delta.ts";
import { INSTALL, install, loadElsewhere } from "./bench/bundle-install.ts";
import { VERIFY, verify } from "./bench/bundle-verify.ts";
import { dockerArchives } from "./bench/docker-archives.ts";

// Prints the section of docs/benchmarks.md on bundles. It loads the images of examples/air-gapped into the Docker Engine, and starts engines of
// its own for what is to begin without one. Wants root, docker, skopeo, gzip, zstd, softhsm2 and p11-kit.

/** What is measured, in this order; a measure may use what those before it left in the folder. */
const MEASURES: readonly Measured[] = [
  createAll,
  imagesAlone,
  verify,
  deltaAfterOneService,
  dockerArchives,
  loadElsewhere,
  install,
];

const load = (loadavg()[0] ?? 0).toFixed(1);
const root = join(import.meta.dirname, "..");
const main = join(root, "cli", "main.ts");
const folder = mkdtempSync(join(tmpdir(), "tk-bench-bundle-"));
const cli = (...args: readonly string[]): Promise<void> =>
  shell('cd "$1"; shift; exec "$@"', folder, process.execPath, main, ...args, "--progress=quiet");
const measures: Measure[] = [];
try {
  const bench = await prepare();
  for (const measure of MEASURES) measures.push(...(await measure(bench)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Keys, trust, the images in the cache and in the engine, and a first bundle, so that nothing is measured cold. */
async function prepare(): Promise<BundleBench> {
  cpSync(join(root, "examples", "air-gapped", "trustkern.yaml"), join(folder, "trustkern.yaml"));
  const elsewhere = join(folder, "keys");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "passphrase"), `${randomBytes(18).toString("base64")}\n`, { mode: 0o600 });
  const sign = ["--key", join(elsewhere, "signer.age"), "--passphrase-file", join(elsewhere, "passphrase")];
  await cli("bundle", "trust", "key", ...sign.slice(1));
  const ada = `ada=${join(elsewhere, "signer.age.pub")}`;
  await cli("bundle", "trust", "init", "--signer", ada, "--root-key", ada, ...sign);
  const shown = execFileSync(process.execPath, [main, "bundle", "trust", "show", "--json"], { cwd: folder });
  const { fingerprint } = JSON.parse(shown.toString()).roots[0] as { fingerprint: string };
  const trust = ["--root", join(folder, ".trustkern", "bundle", "root-1.json"), "--fingerprint", fingerprint];
  const { images, context } = await exampleImages(folder);
  const names = images.images.map(({ name }) => name);
  const built = await buildImages({ ...context, docker: createDockerCli(process.env) }, names, pkg.version);
  const bundle = join(folder, "site.tkb");
  await cli("bundle", "create", "-o", bundle, ...sign);
  return { folder, main, cli, sign, trust, bundle, references: built.map(({ reference }) => reference) };
}

const measureOf = (what: string): Measure | undefined => measures.find((measure) => measure.what === what);
const againBy = (key: "seconds" | "cpuSeconds"): string => {
  const [images = 0, deploy = 0, again = 0] = [INSTALL.images, INSTALL.deploy, INSTALL.again].map(
    (what) => measureOf(what)?.[key] ?? Number.NaN,
  );
  return ((100 * again) / (images + deploy)).toFixed(1);
};
const verifyBy = (hash: string, key: "seconds" | "cpuSeconds"): string =>
  ((measureOf(VERIFY.toolkit)?.[key] ?? Number.NaN) / (measureOf(hash)?.[key] ?? Number.NaN)).toFixed(2);
const secondsOf = (of: string): number => measures.find(({ what }) => what.includes(of))?.seconds ?? Number.NaN;
const bytesOf = (of: string): number => measures.find(({ what }) => what.includes(of))?.bytes ?? Number.NaN;
const megabytes = (bytes: number | undefined): string => (bytes === undefined ? "" : (bytes / 1e6).toFixed(1));
const versions = [
  ["docker", "--version"],
  ["skopeo", "--version"],
  ["zstd", "--version"],
].map(([program = "", flag = ""]) => execFileSync(program, [flag], { encoding: "utf8" }).trim());

console.log(`
## Bundles

Made by \`PATH="$PWD/node_modules/.bin:$PATH" node scripts/bench-bundle.ts >> docs/benchmarks.md\` on ${cpus().length} cores; load average
before: ${load}. The images of \`examples/air-gapped\` with warm caches, one run of each, one after the other. ${versions.join("; ")}.
Only a bundle has OpenTofu, its provider and the command line as well, so the images alone are packed once more for comparison.

| what | s | CPU s | MB | memory MB |
|---|---:|---:|---:|---:|
${measures.map(({ what, seconds, cpuSeconds, bytes, memory }) => `| ${what} | ${seconds.toFixed(1)} | ${cpuSeconds?.toFixed(1) ?? ""} | ${megabytes(bytes)} | ${megabytes(memory)} |`).join("\n")}

- Goal: create at least 4 times faster than \`docker save | gzip\`: **${(secondsOf("| gzip") / secondsOf("images alone")).toFixed(1)}** for the images, ${(secondsOf("| gzip") / secondsOf("everything")).toFixed(1)} for everything
- Goal: at most 0.75 of its size: **${(bytesOf("images alone") / bytesOf("| gzip")).toFixed(2)}** for the images, ${(bytesOf("everything") / bytesOf("| gzip")).toFixed(2)} for everything
- Goal: verify within 1.3 times of \`sha256sum\`: **${verifyBy(VERIFY.coreutils, "seconds")}** (of its CPU time ${verifyBy(VERIFY.coreutils, "cpuSeconds")}); of
  \`openssl\`, which uses the processor's instructions for it, ${verifyBy(VERIFY.openssl, "seconds")}
- Goal: verify in less than 128 MB of memory: **${megabytes(measureOf(VERIFY.toolkit)?.memory)}**; of a clone, which has to read TypeScript, ${megabytes(measureOf(VERIFY.clone)?.memory)}
- Goal: a second install under 5 % of the first: **${againBy("seconds")} %** (of its CPU time ${againBy("cpuSeconds")} %, without the engine's)
- Goal: a delta under 2 % of the full bundle for a change in one of our services: **${((100 * bytesOf("create --since")) / bytesOf("`bundle apply`")).toFixed(2)} %**`);
