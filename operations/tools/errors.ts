import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `operations/tools/`. */
export const toolsErrors = catalogue({
  TOOL_GO_MISSING: {
    exit: EXIT.resource,
    summary: "A program has to be built from its source, and this machine has no Go.",
    fix: "install Go 1.26.6 or newer and put its `go` in PATH (`go version` shows it), then run the same command again",
  },
  TOOL_BUILD_FAILED: {
    exit: EXIT.resource,
    summary: "A program could not be built from its source.",
    fix: "read the compiler's lines above: the network, the module proxy (`go env GOPROXY`), the disk and `go version` (1.26.6 or newer) are the usual causes, and for a program with C in it (step-ca-pkcs11) a missing C compiler; then run the same command again",
  },
  TOOL_CACHE_UNWRITABLE: {
    exit: EXIT.resource,
    summary: "The cache of built programs cannot be written: the disk is full, or the rights are missing.",
    fix: "free space or mend the rights of the folder, or name another one with TRUSTKERN_CACHE",
  },
  TOOL_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "The build of a program was cancelled; nothing of it was kept.",
    fix: "run the same command again; what was compiled so far is in Go's own cache",
  },
  TOOL_PLATFORM_UNSUPPORTED: {
    exit: EXIT.configuration,
    summary: "The programs are not built for this operating system or processor.",
    fix: "set GOOS to linux or darwin and GOARCH to amd64 or arm64, or run the command on such a machine",
  },
});
