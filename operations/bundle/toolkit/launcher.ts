import { posix } from "node:path";
import { TOOLKIT, type ToolkitPlatform } from "./layout.ts";

/**
 * The program `trustkern` of a toolkit, for any POSIX shell: Node.js on this machine's own libraries where they do, since a
 * token's library was made for those; with the few that a small Debian lacks; or on the toolkit's own C library, such as on musl.
 */
export function renderLauncher({ loader }: ToolkitPlatform): string {
  return `#!/bin/sh
# The command line of a bundle. Needs nothing of this machine but a kernel, sh, and for containers their engine.
set -eu
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case "$link" in /*) self=$link ;; *) self=$(dirname -- "$self")/$link ;; esac
done
root=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P)
works() { "$@" --version >/dev/null 2>&1; }
run() { exec "$@"; }
main=$root/${TOOLKIT.main}
node=$root/${TOOLKIT.node}
few=$root/${TOOLKIT.few}
libraries=$root/${TOOLKIT.libraries}
if works "$node"; then
  run "$node" --disable-warning=ExperimentalWarning "$main" "$@"
elif works ${loader} --library-path "$few" "$node"; then
  run ${loader} --library-path "$few" "$node" --disable-warning=ExperimentalWarning "$main" "$@"
fi
run "$libraries/${posix.basename(loader)}" --library-path "$libraries:$few" "$node" --disable-warning=ExperimentalWarning "$main" "$@"
`;
}
