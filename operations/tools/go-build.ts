import { spawn } from "node:child_process";
import { messageOf } from "../../shared/errors.ts";
import type { Platform, ToolsContext } from "./context.ts";
import { toolsErrors } from "./errors.ts";

const PROGRESS_SECONDS = 30;
const KEPT_CHARACTERS = 16_384;
const SHOWN_LINES = 15;

/** One run of `go build`. */
export interface Build {
  /** What is built, for people: `tofu 1.12.6`. */
  readonly label: string;
  /** Folder of the wrapper module. */
  readonly module: string;
  readonly platform: Platform;
  readonly flags: readonly string[];
  readonly main: string;
  /** Whether C code is part of it. */
  readonly cgo: boolean;
  readonly output: string;
}

/**
 * Builds a program with the machine's `go`, without C unless it is part of the program, and without changing `go.mod` or `go.sum`. `GOCACHE` and
 * `GOMODCACHE` stay the user's own.
 * @throws TOOL_GO_MISSING, TOOL_BUILD_FAILED, TOOL_CANCELLED
 */
export async function goBuild(context: ToolsContext, build: Build): Promise<void> {
  const { label } = build;
  context.onProgress(`building ${label} from source (once, a few minutes)`);
  let elapsed = 0;
  const ticker = setInterval(() => {
    elapsed += PROGRESS_SECONDS;
    context.onProgress(`building ${label}: ${elapsed} s`);
  }, PROGRESS_SECONDS * 1000);
  try {
    const { failure, said } = await runGo(context, build);
    if (failure === undefined) return;
    if (context.signal.aborted) throw toolsErrors.error("TOOL_CANCELLED", `the build of ${label} was cancelled`);
    throw toolsErrors.error("TOOL_BUILD_FAILED", `${label}: ${failure}\n${lastLines(said)}`, { path: build.module });
  } finally {
    clearInterval(ticker);
  }
}

interface Outcome {
  readonly failure: string | undefined;
  readonly said: string;
}

function runGo(context: ToolsContext, build: Build): Promise<Outcome> {
  const { goos, goarch } = build.platform;
  const env = {
    ...context.env,
    CGO_ENABLED: build.cgo ? "1" : "0",
    GOFLAGS: "-mod=readonly",
    GOWORK: "off",
    GOOS: goos,
    GOARCH: goarch,
  };
  return new Promise((resolve, reject) => {
    const go = spawn("go", ["build", ...build.flags, "-o", build.output, build.main], {
      cwd: build.module,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      signal: context.signal,
      // What Ctrl-C sends: `go` then takes its working folder away.
      killSignal: "SIGINT",
    });
    let said = "";
    const keep = (chunk: string): void => {
      said = (said + chunk).slice(-KEPT_CHARACTERS);
    };
    go.stdout.setEncoding("utf8").on("data", keep);
    go.stderr.setEncoding("utf8").on("data", keep);
    go.on("error", (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ABORT_ERR") return; // `close` follows
      if (thrown.code === "ENOENT") {
        reject(toolsErrors.error("TOOL_GO_MISSING", `${build.label} has to be built, and PATH has no \`go\``));
        return;
      }
      resolve({ failure: `go cannot be started: ${messageOf(thrown)}`, said });
    });
    go.on("close", (code, signal) => {
      const failure = code === 0 ? undefined : `go build ended with ${signal ?? `code ${code}`}`;
      resolve({ failure, said });
    });
  });
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");
}
