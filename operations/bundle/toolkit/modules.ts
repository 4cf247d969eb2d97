import { type Bundled, bundled } from "../../images/build/bundle.ts";

/** Commands that work from the project's sources: a toolkit has `needs-clone.ts` in their place, and nothing that they import. */
const CLONE_ONLY = /\/commands\/(?:up|images-build|bundle-create)\.ts$/;

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
            path: `${resolveDir}/${path.replace(/[^/]+$/, "needs-clone.ts")}`,
          }));
        },
      },
    ],
  });
}
