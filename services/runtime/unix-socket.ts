import { chmodSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { messageOf } from "../../shared/errors.ts";
import { socketAnswers } from "../../shared/socket-answers.ts";
import { runtimeErrors } from "./errors.ts";
import { listening } from "./listen.ts";

const MAX_PATH_BYTES = 103;

/**
 * Listens on a Unix socket of mode 0600, and takes over one that a dead process left behind.
 * @throws CONTROL_SOCKET_IN_USE
 * @throws CONTROL_SOCKET_PATH
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw runtimeErrors.error(
      "CONTROL_SOCKET_PATH",
      `socket path has ${Buffer.byteLength(path)} bytes, accepted: ${MAX_PATH_BYTES}`,
      { path },
    );
  if (await socketAnswers(path))
    throw runtimeErrors.error("CONTROL_SOCKET_IN_USE", "a living process answers there", { path });
  try {
    rmSync(path, { force: true });
    await listening(server, () => server.listen(path));
    chmodSync(path, 0o600);
  } catch (cause) {
    throw runtimeErrors.error("CONTROL_SOCKET_PATH", `cannot listen: ${messageOf(cause)}`, { path, cause });
  }
}
