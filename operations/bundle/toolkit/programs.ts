import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { packageFolder } from "../../images/build/contents.ts";
import type { ToolsContext } from "../../tools/context.ts";
import { ensurePacked, PACKED } from "../../tools/packed.ts";
import { ensurePackedMirror } from "../../tools/provider-mirror.ts";
import { blobOfFile } from "./blobs.ts";
import { TOOLKIT } from "./layout.ts";
import { type ToolkitFile, toolkitPath } from "./toolkit-file.ts";

/** What of `pkcs11js` runs: its add-on is built for the Node.js that a toolkit has. */
const ADD_ON = "pkcs11js";
const ADD_ON_FILES = ["LICENSE", "build/Release/pkcs11.node", "index.js", "package.json"];

/** OpenTofu, and the provider below both host names: packed, each beside what starts it, since a deploy alone needs them. */
export async function programFiles(context: ToolsContext): Promise<readonly ToolkitFile[]> {
  const { starter, packed } = await ensurePacked(context, "tofu");
  const mirror = await ensurePackedMirror(context);
  const providers = await Promise.all(
    filesBelow(mirror).map(async (path) => ({
      path: toolkitPath(`${TOOLKIT.providers}/${path}`),
      executable: !path.endsWith(PACKED),
      source: await blobOfFile(join(mirror, path)),
    })),
  );
  return [
    { path: toolkitPath(TOOLKIT.tofu), executable: true, source: await blobOfFile(starter) },
    { path: toolkitPath(`${TOOLKIT.tofu}${PACKED}`), executable: false, source: await blobOfFile(packed) },
    ...providers,
  ];
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** The add-on that speaks to a token, where this machine has built it; without it, a command that needs it says so. */
export async function addOnFiles(
  projectDir: string,
): Promise<{ readonly files: readonly ToolkitFile[]; readonly inputs: readonly string[] }> {
  const folder = addOnFolder(projectDir);
  if (folder === undefined) return { files: [], inputs: [] };
  const files = ADD_ON_FILES.map(async (path) => ({
    path: toolkitPath(`${TOOLKIT.modules}/node_modules/${ADD_ON}/${path}`),
    executable: false,
    source: await blobOfFile(join(folder, path)),
  }));
  return { files: await Promise.all(files), inputs: ADD_ON_FILES.map((path) => `node_modules/${ADD_ON}/${path}`) };
}

function addOnFolder(projectDir: string): string | undefined {
  try {
    createRequire(join(projectDir, "package.json"))(ADD_ON);
    const folder = packageFolder(projectDir, ADD_ON);
    return ADD_ON_FILES.every((path) => existsSync(join(folder, path))) ? folder : undefined;
  } catch {
    return undefined;
  }
}
