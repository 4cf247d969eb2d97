import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type WriteBundle, writeBundle } from "../../operations/bundle/create/create-bundle.ts";
import { bundledNames, gather } from "../../operations/bundle/create/gather.ts";
import { assertOutput, splitBytes } from "../../operations/bundle/create/output.ts";
import { assertOldOf } from "../../operations/bundle/delta/pair.ts";
import { writeSince } from "../../operations/bundle/delta/write-since.ts";
import { digestOf } from "../../operations/bundle/format/manifest.ts";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { assertMaySign, type SignedBundle, signBundle } from "../../operations/bundle/trust/sign-bundle.ts";
import { bundleFolder, newestRoot, readVendorRoots } from "../../operations/bundle/trust/vendor-roots.ts";
import { localReference } from "../../operations/images/known-images.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import pkg from "../../package.json" with { type: "json" };
import { parseDuration } from "../../shared/durations.ts";
import { EXIT } from "../../shared/errors.ts";
import { sizeText } from "../../shared/size-text.ts";
import { openBundleKeys } from "../bundle-keys.ts";
import { bytesView } from "../bytes-view.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import { readInput } from "../files.ts";
import { needed } from "../needed.ts";
import { cloneFiles } from "../project-files.ts";
import { talk } from "../talk.ts";

const SCHEMA = "trustkern.bundle-create/1";

/** `bundle create`: one signed file with everything that a site needs. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { root: projectDir, toolsDir } = cloneFiles("bundle create");
  const { deployment, file, dir } = await locateDeployment(io, flags);
  if (file === undefined)
    throw cliErrors.error("CLI_NO_DEPLOYMENT", `there is no trustkern.yaml in "${io.cwd}" or above it`);
  if (deployment.engine !== "docker")
    throw cliErrors.error("DOCKER_ENGINE_ONLY", `the deployment has the engine "${deployment.engine}"`, { path: file });
  const names = bundledNames(deployment);
  const split = typeof options.split === "string" ? splitBytes(options.split) : undefined;
  const warnAfterSeconds =
    typeof options.warnAfter === "string" ? parseDuration(options.warnAfter, "--warn-after") : undefined;
  const dryRun = options.dryRun === true;
  const out = dryRun ? options.output : needed(options.output, "--output");
  if (typeof out === "string") assertOutput(resolve(io.cwd, out));
  // Whoever only wants the list needs no key; one that is named is looked at.
  if (dryRun && options.key === undefined) return printPlan(context, names);
  // Before minutes of work that nobody could sign.
  const folder = bundleFolder(dir);
  const vendor = readVendorRoots(folder);
  newestRoot(vendor, folder);
  needed(options.key, "--key");
  const job = { roots: vendor.roots, folder, manifest: deployment };
  assertMaySign(job, []);
  await using keys = await openBundleKeys(context, dir);
  assertMaySign(job, keys.signers);
  if (dryRun) return printPlan(context, names);
  await using opened = new AsyncDisposableStack();
  const since = typeof options.since === "string" ? await openBundle(resolve(io.cwd, options.since)) : undefined;
  if (since !== undefined) {
    opened.defer(since.close);
    assertOldOf(since, { tenant: deployment.tenant, deployment: deployment.name });
  }
  const cacheDir = defaultCacheDir(io.env, homedir());
  const onProgress = talk(context);
  const deploymentFile = Buffer.from(await readInput(io, file)).toString("utf8");
  const contents = await gather({
    ...{ deployment, deploymentFile, version: pkg.version, temporaryDir: tmpdir() },
    ...{ projectDir, toolsDir, cacheDir, env: io.env, signal: io.cancelled, onProgress },
    refresh: options.refresh === true,
  });
  const view = bytesView(context);
  const request: WriteBundle<SignedBundle> = {
    ...{ contents, out: resolve(io.cwd, needed(out, "--output")), splitBytes: split, view, signal: io.cancelled },
    scratch: join(cacheDir, "bundles"),
    sign: (signed) =>
      signBundle({ ...signed, roots: vendor.roots, folder, now: io.now(), warnAfterSeconds }, keys.signers),
  };
  if (since === undefined) printBundle(context, await writeBundle(request).finally(view.stop));
  else {
    const { full, ...delta } = await writeSince(since, request).finally(view.stop);
    printBundle(context, { ...full, ...delta }, digestOf(since.manifestBytes));
  }
  return EXIT.done;
};

function printPlan({ io, flags }: CommandContext, names: readonly string[]): 0 {
  const images = names.map((name) => ({ name, reference: localReference(name, pkg.version) }));
  if (flags.json) printJson(io, { schema: SCHEMA, dryRun: true, images });
  else for (const { name, reference } of images) io.stdout(`${name.padEnd(15)} ${reference}\n`);
  return EXIT.done;
}

function printBundle(
  { io, flags, paint }: CommandContext,
  { manifest, files, bytes, signed }: Awaited<ReturnType<typeof writeBundle<SignedBundle>>>,
  base?: string,
): void {
  const { statement, reused, signers, threshold } = signed;
  const { version, warnAfter } = statement.predicate;
  const images = manifest.images.map(({ name }) => name);
  const missing = Math.max(0, threshold - signers.length);
  if (flags.json) {
    const counts = { images, fileCount: manifest.files.length, blobCount: manifest.blobs.length };
    const signature = { version, reused, warnAfter, signers, threshold };
    printJson(io, { schema: SCHEMA, dryRun: false, files, bytes, ...(base && { base }), ...counts, ...signature });
    return;
  }
  const parts = files.length === 1 ? files[0] : `${files[0]} and ${files.length - 1} more parts`;
  const lines = [
    `${parts}: ${sizeText(bytes)}, ${images.length} images, ${manifest.files.length} files`,
    ...(base === undefined
      ? []
      : [`what changed since ${base}, which it is to be applied to: \`trustkern bundle apply\``]),
    `version ${version} of ${manifest.deployment}${reused ? ", which was signed before" : ""}; sites ask for a newer one after ${warnAfter}`,
    ...signers.map(({ name, fingerprint }) => `signed by ${name}, ${fingerprint}`),
    missing > 0
      ? paint(
          "yellow",
          `does not count yet: ${missing} more of the signers, with \`trustkern bundle sign ${files[0]}\``,
        )
      : paint("green", `it counts: ${threshold} needed`),
  ];
  io.stdout(`${lines.join("\n")}\n`);
}
