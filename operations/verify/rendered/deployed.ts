import { existsSync, readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { Model } from "../../../model/boundary.ts";
import { hostConfigFile } from "../../../stacks/docker/mounts.ts";
import { deployedStack } from "../../../stacks/docker/terraform/stack-file.ts";
import type { Layout } from "../../../stacks/host/layout.ts";

/** The text of a file, or why there is none. */
export type FileText = { readonly text: string } | { readonly absent: "missing" | "unreadable" };

/** A configuration file of a component, as it is on this host and as the model renders it. */
export interface DeployedFile {
  readonly component: string;
  /** Path below the folder that the state directory is in. */
  readonly path: string;
  readonly found: FileText;
  readonly rendered: string;
}

/** What the last deploy left in the state directory. */
export interface Deployed {
  /** Path, as a file's, of the stack that OpenTofu was given. */
  readonly stackPath: string;
  readonly stack: FileText;
  readonly files: readonly DeployedFile[];
}

/** Reads the state directory; whatever cannot be read is said, and nothing is thrown. */
export function readDeployed(layout: Layout, { components }: Pick<Model, "components">): Deployed {
  const shown = (path: string): string => relative(dirname(layout.dir), path);
  const stackPath = deployedStack(layout.terraformDir);
  return {
    stackPath: shown(stackPath),
    stack: readText(stackPath),
    files: components.flatMap(({ name, files }) =>
      files.map(({ path: inside, content }) => {
        const path = hostConfigFile(layout, name, inside);
        return { component: name, path: shown(path), found: readText(path), rendered: content };
      }),
    ),
  };
}

function readText(path: string): FileText {
  try {
    return { text: readFileSync(path, "utf8") };
  } catch {
    return { absent: existsSync(path) ? "unreadable" : "missing" };
  }
}
