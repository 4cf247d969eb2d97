import type { BlobSource } from "../format/write.ts";
import { TOOLKIT_FOLDER } from "./layout.ts";

/** A file of the toolkit as a file of the bundle. */
export interface ToolkitFile {
  /** Below the bundle's files: `toolkit/…`. */
  readonly path: string;
  readonly executable: boolean;
  readonly source: BlobSource;
}

/** Where a file of the toolkit is among the files of a bundle. */
export function toolkitPath(path: string): string {
  return `${TOOLKIT_FOLDER}/${path}`;
}
