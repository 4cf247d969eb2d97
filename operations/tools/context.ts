import { join } from "node:path";
import { toolsErrors } from "./errors.ts";

/** What the tools are handed: they look at nothing else of the machine. */
export interface ToolsContext {
  /** Folder outside the tree that outlives deployments, see {@link defaultCacheDir}. */
  readonly cacheDir: string;
  /** `<project>/tools`. */
  readonly toolsDir: string;
  /** `PATH` finds `go`, `GOOS` and `GOARCH` name another platform than this machine's; the rest goes to `go` as it is. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Gets a line when something long starts, and one every 30 s. */
  readonly onProgress: (what: string) => void;
}

/**
 * The cache folder when nobody names one: `$TRUSTKERN_CACHE`, else `$XDG_CACHE_HOME/trustkern` (XDG Base Directory
 * Specification), else `<home>/.cache/trustkern`. An empty variable counts as unset.
 */
export function defaultCacheDir(env: NodeJS.ProcessEnv, home: string): string {
  if (env.TRUSTKERN_CACHE) return env.TRUSTKERN_CACHE;
  return join(env.XDG_CACHE_HOME || join(home, ".cache"), "trustkern");
}

/** A platform in Go's words. */
export interface Platform {
  readonly goos: "linux" | "darwin";
  readonly goarch: "amd64" | "arm64";
}

/**
 * The platform that programs are built for: what `GOOS` and `GOARCH` say, else this machine's.
 * @throws TOOL_PLATFORM_UNSUPPORTED
 */
export function targetPlatform(env: NodeJS.ProcessEnv): Platform {
  const goos = env.GOOS || process.platform;
  const goarch = env.GOARCH || (process.arch === "x64" ? "amd64" : process.arch);
  if ((goos === "linux" || goos === "darwin") && (goarch === "amd64" || goarch === "arm64")) return { goos, goarch };
  throw toolsErrors.error(
    "TOOL_PLATFORM_UNSUPPORTED",
    `no programs for "${goos}/${goarch}"; accepted: linux or darwin on amd64 or arm64`,
  );
}
