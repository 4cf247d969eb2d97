import { resolve } from "node:path";
import { diffManifests, isSame, type ManifestDiff } from "../../operations/bundle/format/diff.ts";
import { bundleFormatErrors } from "../../operations/bundle/format/errors.ts";
import { bundledFile } from "../../operations/bundle/format/file.ts";
import { digestOf } from "../../operations/bundle/format/manifest.ts";
import { type Bundle, openBundle } from "../../operations/bundle/format/read.ts";
import { EXIT } from "../../shared/errors.ts";
import { sizeText } from "../../shared/size-text.ts";
import { inspection, inspectionText, sbomNames, sbomPath } from "../bundle-view.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";

/** `bundle inspect FILE [OTHER]`: reads the head of a bundle and shows what it says; whether that is so, `bundle verify` says. */
export const run: Run = async (context) => {
  const { io, options, args } = context;
  const [name = "", other] = args;
  const sbom = typeof options.sbom === "string" ? options.sbom : undefined;
  if (other !== undefined && sbom !== undefined) {
    throw cliErrors.error("CLI_USAGE", "an SBOM is of one bundle, and two are named", { path: "--sbom" });
  }
  const bundle = await openBundle(resolve(io.cwd, name));
  try {
    if (sbom !== undefined) await showSbom(context, bundle, sbom);
    else if (other === undefined) show(context, bundle);
    else await showDiff(context, bundle, other);
    return EXIT.done;
  } finally {
    await bundle.close();
  }
};

function show({ io, flags, paint }: CommandContext, bundle: Bundle): void {
  const found = inspection(bundle);
  if (flags.json) printJson(io, { schema: "trustkern.bundle-inspect/1", ...found });
  else io.stdout(inspectionText(found, paint));
}

/** @throws BUNDLE_NO_ENTRY */
async function showSbom({ io, flags }: CommandContext, bundle: Bundle, name: string): Promise<void> {
  const path = sbomPath(name);
  const names = sbomNames(bundle.manifest);
  if (!names.includes(name)) {
    const there = names.length === 0 ? "it has none" : `it has: ${names.join(", ")}`;
    throw bundleFormatErrors.error("BUNDLE_NO_ENTRY", `the bundle has no SBOM "${name}"; ${there}`, { path });
  }
  const text = Buffer.from(await bundledFile(bundle, path, io.cancelled)).toString("utf8");
  const sbom = sbomOf(text, path);
  if (flags.json) printJson(io, { schema: "trustkern.bundle-sbom/1", name, sbom });
  // Written anew: what a terminal would obey is escaped in JSON.
  else io.stdout(`${JSON.stringify(sbom, undefined, 2)}\n`);
}

function sbomOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw bundleFormatErrors.error("BUNDLE_MALFORMED", `"${path}" is no JSON`, { path, cause });
  }
}

async function showDiff({ io, flags, paint }: CommandContext, from: Bundle, other: string): Promise<void> {
  const to = await openBundle(resolve(io.cwd, other));
  await to.close();
  const diff = diffManifests(from.manifest, to.manifest);
  const ends = { from: digestOf(from.manifestBytes), to: digestOf(to.manifestBytes) };
  if (flags.json) printJson(io, { schema: "trustkern.bundle-diff/1", ...ends, same: isSame(diff), ...diff });
  else io.stdout(diffText(diff, paint));
}

function diffText(diff: ManifestDiff, paint: CommandContext["paint"]): string {
  const { images, files, plain, blobBytes, toolkit } = diff;
  if (isSame(diff)) return "the same content\n";
  const lines = (what: string, { added, removed, changed }: ManifestDiff["files"]): readonly string[] => [
    ...added.map((name) => `${paint("green", "+")} ${what} ${name}`),
    ...removed.map((name) => `${paint("red", "-")} ${what} ${name}`),
    ...changed.map((name) => `${paint("yellow", "~")} ${what} ${name}`),
  ];
  return `${[
    ...(toolkit.from === toolkit.to ? [] : [`toolkit ${toolkit.from} → ${toolkit.to}`]),
    ...lines("image", images),
    ...lines("file", files),
    ...lines("plain file", plain),
    `${sizeText(blobBytes.added)} new, ${sizeText(blobBytes.kept)} kept, ${sizeText(blobBytes.removed)} gone, uncompressed`,
  ].join("\n")}\n`;
}
