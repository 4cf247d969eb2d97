import type { Finding } from "../../../shared/finding.ts";
import { sizeText } from "../../../shared/size-text.ts";
import type { EngineImages } from "../engine/engine.ts";
import { layersToSend } from "../engine/missing.ts";
import type { Manifest } from "../format/manifest.ts";
import { siteErrors } from "../install/errors.ts";

/** The file system of an engine's folder. */
export interface EngineDisk {
  readonly folder: string;
  /** Undefined where nobody knows. */
  readonly freeBytes: number | undefined;
  /** What the site takes of the same file system; 0 where it is another. */
  readonly siteBytes: number;
}

/** What loading takes of an engine's disk: it keeps the layers that it lacks as they came until it has unpacked them. */
export function engineRoom({ images, blobs }: Pick<Manifest, "images" | "blobs">, present: EngineImages): number {
  const sent = layersToSend(images, present);
  return 2 * blobs.filter(({ digest }) => sent.has(digest)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Whether the engine has room for images. */
export function judgeEngineRoom(bytes: number, { folder, freeBytes, siteBytes }: EngineDisk): readonly Finding[] {
  if (bytes === 0 || freeBytes === undefined || freeBytes >= bytes + siteBytes) return [];
  const site = siteBytes > 0 ? ` and ${sizeText(siteBytes)} for the site, which lies there, too` : "";
  const parts = `${sizeText(bytes)} while the Docker Engine loads images${site}`;
  const message = `the file system of "${folder}" has ${freeBytes} bytes free, and it takes ${bytes + siteBytes}: ${parts}`;
  return [{ code: "BUNDLE_NO_ROOM", path: folder, message, fix: siteErrors.entries.BUNDLE_NO_ROOM.fix }];
}
