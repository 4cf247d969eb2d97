import { z } from "zod";
import { toolkitErrors } from "./errors.ts";

/** Folder of the toolkit among the files of a bundle, and of a version of a site. */
export const TOOLKIT_FOLDER = "toolkit";

/** Where the parts of a toolkit are, below its folder. `cli/project-files.ts` finds them by the same names. */
export const TOOLKIT = {
  /** What people and units of systemd start. */
  launcher: "trustkern",
  modules: "lib",
  /** The module that is started. */
  main: "lib/trustkern.mjs",
  tofu: "bin/tofu",
  providers: "providers",
  /** Which files of which layers the runtime is made of. */
  runtime: "runtime.json",
  node: "runtime/node",
  nodeLicence: "runtime/LICENSE",
  libraries: "runtime/lib",
  /** What of the libraries a machine may lack that has a C library. */
  few: "runtime/few",
  licences: "THIRD-PARTY.txt",
} as const;

/** The machine that a toolkit is for. */
export interface ToolkitPlatform {
  /** As manifests name it. */
  readonly name: "linux-x64" | "linux-arm64";
  /** As `uname -m` says it. */
  readonly machine: string;
  /** Folder of libraries in Debian. */
  readonly triplet: string;
  /** The loader of the C library, where programs have it. */
  readonly loader: string;
}

const PLATFORMS: readonly ToolkitPlatform[] = [
  { name: "linux-x64", machine: "x86_64", triplet: "x86_64-linux-gnu", loader: "/lib64/ld-linux-x86-64.so.2" },
  { name: "linux-arm64", machine: "aarch64", triplet: "aarch64-linux-gnu", loader: "/lib/ld-linux-aarch64.so.1" },
];

/** @throws TOOLKIT_INCOMPLETE for a machine on which no image can be made either */
export function platformOf(platform: string, arch: string): ToolkitPlatform {
  const found = PLATFORMS.find(({ name }) => name === `${platform}-${arch}`);
  if (found) return found;
  throw toolkitErrors.error(
    "TOOLKIT_INCOMPLETE",
    `this machine is ${platform}-${arch}; accepted: linux-x64, linux-arm64`,
  );
}

const RUNTIME_SCHEMA = "trustkern.toolkit-runtime/1";

const relative = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_+.-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_+.-]*)*$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const runtimeSchema = z.strictObject({
  schema: z.literal(RUNTIME_SCHEMA),
  layers: z
    .array(
      z.strictObject({
        digest,
        take: z
          .array(
            z.strictObject({
              ...{ from: relative, to: relative.startsWith("runtime/"), digest },
              bytes: z.int().min(0),
              executable: z.boolean(),
            }),
          )
          .min(1)
          .max(64),
      }),
    )
    .min(1)
    .max(8),
});

/** Which files of which image layers are the runtime of a toolkit, with digest and size of each: images have them anyway. */
export type Runtime = z.output<typeof runtimeSchema>;

/** Bytes of `runtime.json`. */
export function renderRuntime(layers: Runtime["layers"]): Uint8Array {
  return Buffer.from(`${JSON.stringify({ schema: RUNTIME_SCHEMA, layers }, undefined, 2)}\n`);
}

/** @throws TOOLKIT_MALFORMED */
export function parseRuntime(bytes: Uint8Array): Runtime {
  try {
    return runtimeSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw toolkitErrors.error("TOOLKIT_MALFORMED", `"${TOOLKIT.runtime}" is not of the form ${RUNTIME_SCHEMA}`, {
      cause,
    });
  }
}
