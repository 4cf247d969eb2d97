import { dirname, join } from "node:path";
import { type Bundled, bundled } from "../../images/build/bundle.ts";

/** Commands that work from the project's sources: a toolkit has `needs-clone.ts` in their place, and nothing that they import. */
const CLONE_ONLY = /\/commands\/(?:up|images-build|bundle-create)\.ts$/;

/** Made of esbuild: what makes modules is no part of one. */
const MAKER = join("operations", "images", "build", "bundle.ts");

/**
 * The command line as ES modules that need no package beside them: one that is started, and for each command what it loads.
 * @returns modules by their file names, which lie in one folder
 * @throws IMAGES_BUNDLE_FAILED
 */
export function toolkitModules(projectDir: string): Promise<Bundled> {
  return bundled(projectDir, "cli/main.ts", {
    splitting: true,
    entryNames: "trustkern",
    chunkNames: "[name]-[hash]",
    outExtension: { ".js": ".mjs" },
    define: { TRUSTKERN_TOOLKIT: "true" },
    plugins: [
      {
        name: "clone-only",
        setup: ({ onResolve }) => {
          onResolve({ filter: CLONE_ONLY }, ({ path, resolveDir }) => ({
            path: join(resolveDir, path.replace(/[^/]+$/, "needs-clone.ts")),
          }));
          onResolve({ filter: /\/bundle\.ts$/ }, ({ path, resolveDir }) =>
            join(resolveDir, path) === join(projectDir, MAKER)
              ? { path: join(resolveDir, dirname(path), "bundle-in-toolkit.ts") }
              : undefined,
          );
        },
      },
    ],
  });
}
