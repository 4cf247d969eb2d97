import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PackageURL } from "packageurl-js";
import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import { sbomErrors } from "./errors.ts";
import type { Part } from "./part.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16_777_216;

const module = z.object({ Path: z.string(), Version: z.string().optional(), Sum: z.string().optional() });
const program = z.object({
  GoVersion: z.string(),
  Main: module.optional(),
  Deps: z.array(module.extend({ Replace: module.optional() })).default([]),
});

/** Modules of ours have a main package and nothing more; the program itself is listed by its name. */
const OURS = /^trustkern\.tools\//;

/**
 * The modules of a Go program, as its linker wrote them into it, and the standard library.
 * @throws SBOM_UNKNOWN_PARTS
 */
export async function goParts(file: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<readonly Part[]> {
  try {
    const { stdout } = await run("go", ["version", "-m", "-json", file], { env, signal, maxBuffer: MAX_OUTPUT_BYTES });
    return partsOf(stdout);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw sbomErrors.error("SBOM_UNKNOWN_PARTS", `go does not say what "${file}" is made of: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** What `go version -m -json` says, as parts. */
export function partsOf(json: string): readonly Part[] {
  const { GoVersion, Main, Deps } = program.parse(JSON.parse(json));
  const modules = [Main, ...Deps.map(({ Replace, ...own }) => Replace ?? own)];
  const standard = { Path: "stdlib", Version: `v${GoVersion.replace(/^go/, "").split(" ")[0]}` };
  return [standard, ...modules].flatMap((one) => {
    if (one === undefined || OURS.test(one.Path)) return [];
    return [partOf(one)];
  });
}

function partOf({ Path, Version = "", Sum }: z.output<typeof module>): Part {
  const slash = Path.lastIndexOf("/");
  const purl = new PackageURL(
    "golang",
    Path.slice(0, Math.max(slash, 0)),
    Path.slice(slash + 1),
    Version,
    undefined,
    undefined,
  );
  const [, base64] = /^h1:(.+)$/.exec(Sum ?? "") ?? [];
  return {
    ...{ type: "library", name: Path, version: Version, purl: purl.toString() },
    // Of the module's tree, as go.sum has it.
    hash:
      base64 === undefined ? undefined : { algorithm: "SHA-256", hex: Buffer.from(base64, "base64").toString("hex") },
  };
}
