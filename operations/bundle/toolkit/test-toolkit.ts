import { createHash } from "node:crypto";
import { createReadStream, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LayerEntries, writeLayer } from "../../images/build/layer.ts";
import { digestOf } from "../format/manifest.ts";
import { TEST_SLOT, testFolder, UNWATCHED } from "../format/test-bundle.ts";
import { type BlobSource, type BundleContents, packBundle, writeArchive } from "../format/write.ts";
import { blobOfBytes } from "./blobs.ts";
import { platformOf, type Runtime, renderRuntime, TOOLKIT } from "./layout.ts";
import { renderStart, START_SCRIPT } from "./start-script.ts";
import { type ToolkitFile, toolkitPath } from "./toolkit-file.ts";

/** For tests that do not start it. */
const NO_UNZSTD = Buffer.from("#!/bin/sh\nexit 1\n");

/** For tests: says what it was asked. */
const LAUNCHER = `#!/bin/sh
echo "ran from $(cd "$(dirname "$0")" && pwd): $*"
`;

/** For tests: a bundle with a toolkit of a few bytes. */
export interface TestToolkit {
  readonly contents: BundleContents;
  readonly files: readonly ToolkitFile[];
}

/**
 * For tests: a toolkit whose layers have a link, and whose provider is twice named.
 * @param unpacker - program with which `start.sh` unpacks
 */
export async function testToolkit(
  runtime?: (layers: readonly BlobSource[]) => Runtime["layers"],
  unpacker: Uint8Array = NO_UNZSTD,
): Promise<TestToolkit> {
  const platform = platformOf(process.platform, process.arch);
  const layers = [
    await layerOf({ "usr/lib/libatomic.so.1.2.0": "atomic", "etc/passwd": "nobody" }),
    await layerOf({ "usr/bin/node": "#!/bin/sh\n", "usr/share/doc/nodejs/copyright": "MIT" }),
  ];
  const takes = runtime?.(layers) ?? [
    {
      digest: layers[0]?.digest ?? "",
      take: [take("usr/lib/libatomic.so.1.2.0", "runtime/few/libatomic.so.1", "atomic")],
    },
    { digest: layers[1]?.digest ?? "", take: [take("usr/bin/node", TOOLKIT.node, "#!/bin/sh\n", true)] },
  ];
  const files = [
    file(TOOLKIT.launcher, LAUNCHER, true),
    file(TOOLKIT.runtime, renderRuntime(takes)),
    file(TOOLKIT.main, "export {};\n"),
    // What no compression makes fewer, so that a bundle of it can be split.
    file("lib/large.mjs", createHash("shake256", { outputLength: 200_000 }).update("large").digest()),
    file("providers/one.example/provider", "provider", true),
    file("providers/two.example/provider", "provider", true),
    file(TOOLKIT.tofu, "#!/bin/sh\n# tofu\n", true),
  ];
  const unzstd = { path: `unzstd-${platform.name}`, digest: digestOf(unpacker), bytes: unpacker.length };
  const start = renderStart({ version: "0.1.0", deployment: "site", platform, files, layers, runtime: takes, unzstd });
  const config = blobOfBytes(Buffer.from("{}"));
  const first = [
    ...new Map([...files.map(({ source }) => source), ...layers].map((one) => [one.digest, one])).values(),
  ];
  return {
    files,
    contents: {
      ...{ tenant: "demo", deployment: "site", profile: "air-gapped" },
      toolkit: { version: "0.1.0", platform: platform.name },
      files: files.map(({ path, executable, source }) => ({ path, executable, digest: source.digest })),
      images: [
        {
          name: "one",
          reference: "trustkern/one:0.1.0",
          config: config.digest,
          layers: layers.map(({ digest }) => digest),
        },
      ],
      plain: [
        { path: START_SCRIPT, executable: true, content: Buffer.from(start) },
        { path: unzstd.path, executable: true, content: unpacker },
      ],
      groups: [[...first, config]],
    },
  };
}

/** For tests: what a layer gives to a runtime. */
export function take(
  from: string,
  to: string,
  content = "",
  executable = false,
): Runtime["layers"][number]["take"][number] {
  return { from, to, digest: digestOf(content), bytes: Buffer.byteLength(content), executable };
}

/** For tests: writes a toolkit's bundle. @returns its files */
export async function writtenToolkit({ contents }: TestToolkit, splitBytes?: number): Promise<readonly string[]> {
  const folder = testFolder();
  const packed = await packBundle(contents, { ...UNWATCHED, scratchDir: testFolder() });
  return writeArchive(packed, TEST_SLOT, join(folder, "site.tkb"), { ...UNWATCHED, ...(splitBytes && { splitBytes }) });
}

/** For tests: the script of a bundle as a file beside it. */
export function startScriptOf({ contents }: TestToolkit): string {
  const script = contents.plain.find(({ path }) => path === START_SCRIPT)?.content;
  const path = join(testFolder(), START_SCRIPT);
  writeFileSync(path, script instanceof Uint8Array ? script : "");
  return path;
}

function file(path: string, content: string | Uint8Array, executable = false): ToolkitFile {
  return { path: toolkitPath(path), executable, source: blobOfBytes(Buffer.from(content)) };
}

async function layerOf(files: Readonly<Record<string, string>>): Promise<BlobSource> {
  const place = join(testFolder(), "layer.tar");
  const entries: LayerEntries = new Map(
    Object.entries(files).map(([path, content]) => [path, { kind: "file", content: Buffer.from(content) }]),
  );
  const digest = await writeLayer(entries, place);
  return { digest, bytes: statSync(place).size, open: () => createReadStream(place) };
}
