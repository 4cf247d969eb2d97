import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { posix } from "node:path";
import { NODE } from "../../../modules/common.ts";
import type { Layer } from "../../images/build/layer.ts";
import { eachEntry } from "../../images/build/tar-entries.ts";
import { toolkitErrors } from "./errors.ts";
import { type Runtime, TOOLKIT, type ToolkitPlatform } from "./layout.ts";

/** What Node.js needs beside the C library, and a small Debian lacks. */
const FEW = ["libatomic.so.1", "libstdc++.so.6", "libgcc_s.so.1"];
/** The C library, by the names that programs ask for. */
const C_LIBRARY = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2"];

/** Debian packages of which a toolkit has libraries. */
export const RUNTIME_LIBRARIES: readonly string[] = ["libatomic1", "libc6", "libgcc-s1", "libstdc++6"];

/**
 * Which files of the layers are the runtime of a toolkit.
 * @throws TOOLKIT_INCOMPLETE when a layer lacks one
 */
export async function runtimeOf(
  packages: Layer,
  node: Layer,
  { triplet, loader }: ToolkitPlatform,
): Promise<Runtime["layers"]> {
  const links = await linksOf(packages);
  const folder = `usr/lib/${triplet}`;
  const library = (name: string, to: string, executable = false) => ({
    from: resolved(links, `${folder}/${name}`),
    to: `${to}/${name}`,
    executable,
  });
  return [
    await withDigests(packages, [
      library(posix.basename(loader), TOOLKIT.libraries, true),
      ...C_LIBRARY.map((name) => library(name, TOOLKIT.libraries)),
      ...FEW.map((name) => library(name, TOOLKIT.few)),
    ]),
    await withDigests(node, [
      { from: NODE.slice(1), to: TOOLKIT.node, executable: true },
      { from: "usr/share/doc/nodejs/copyright", to: TOOLKIT.nodeLicence, executable: false },
    ]),
  ];
}

type Take = Runtime["layers"][number]["take"][number];

/** A site has no other word for what its runtime is made of, once the layers are gone. */
async function withDigests(
  layer: Layer,
  take: readonly Omit<Take, "digest" | "bytes">[],
): Promise<Runtime["layers"][number]> {
  const wanted = new Set(take.map(({ from }) => from));
  const found = new Map<string, Pick<Take, "digest" | "bytes">>();
  await eachEntry(createReadStream(layer.file), async (entry) => {
    const { name, type } = entry.header;
    if (type !== "file" || !wanted.has(name)) return;
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    found.set(name, { digest: `sha256:${hash.digest("hex")}`, bytes });
  });
  return { digest: layer.diffId, take: take.map((one) => ({ ...one, ...foundIn(found, one.from) })) };
}

function foundIn<T>(found: ReadonlyMap<string, T>, path: string): T {
  const one = found.get(path);
  if (one === undefined) throw toolkitErrors.error("TOOLKIT_INCOMPLETE", `a layer has no file ${path}`);
  return one;
}

/** Paths of a layer; those of links with what they lead to. */
async function linksOf(layer: Layer): Promise<ReadonlyMap<string, string | undefined>> {
  const links = new Map<string, string | undefined>();
  await eachEntry(createReadStream(layer.file), ({ header: { name, type, linkname } }) => {
    links.set(name, type === "symlink" ? posix.join(posix.dirname(name), linkname ?? "") : undefined);
  });
  return links;
}

function resolved(links: ReadonlyMap<string, string | undefined>, path: string, depth = 0): string {
  const target = links.get(path);
  if (!links.has(path) || depth > 8)
    throw toolkitErrors.error("TOOLKIT_INCOMPLETE", `the layer of Debian packages has no ${path}`);
  return target === undefined ? path : resolved(links, target, depth + 1);
}
