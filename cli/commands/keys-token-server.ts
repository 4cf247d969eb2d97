import { once } from "node:events";
import { chownSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { openPkcs11Store } from "../../custody/backends/pkcs11.ts";
import type { Deployment } from "../../model/deployment.ts";
import { serveToken } from "../../services/custody/token-server.ts";
import { EXIT, messageOf, TrustKernError } from "../../shared/errors.ts";
import { runAsOf } from "../../stacks/docker/life/options.ts";
import { renderTokenUnit } from "../../stacks/host/trust/systemd-unit.ts";
import type { Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { cliErrors } from "../errors.ts";
import { projectFiles } from "../project-files.ts";
import { talk } from "../talk.ts";

/** `keys token-server`: serves the token of `custody` at `docker.custodySocket`, until it is told to end. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { deployment, file } = await locateDeployment(io, flags);
  const place = tokenOf(deployment, file);
  const { custodySocket: socket } = deployment.docker;
  if (options.systemd === true) {
    const program = projectFiles.launcher;
    io.stdout(renderTokenUnit({ deployment: deployment.name, program, file: file ?? "", user: io.user(), socket }));
    return EXIT.done;
  }
  const say = talk(context);
  makeFolder(dirname(socket));
  // First: a PIN that the token refuses ends this, and no container asks for it again.
  const store = await openPkcs11Store(place);
  try {
    // What listens is nobody else's from the first moment on.
    process.umask(0o077);
    const close = await serveToken({ store, socket, onRefused: (thrown) => say(`refused: ${refusalOf(thrown)}`) });
    giveAway(socket);
    say(`${store.facts.where} (${store.facts.custodyClass}) is served at ${socket}, until Ctrl-C or SIGTERM`);
    if (!io.cancelled.aborted) await once(io.cancelled, "abort");
    await close();
  } finally {
    await store.close();
  }
  return EXIT.done;
};

/**
 * Its parent has to be there: what keeps it from being made is said by whoever listens in it.
 * @throws TOKEN_FOLDER_OPEN
 */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o755 });
  } catch {
    // There already, or nowhere.
  }
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o022) === 0) return;
  const message = `others than its owner can write the folder: mode ${(mode & 0o7777).toString(8).padStart(4, "0")}`;
  throw cliErrors.error("TOKEN_FOLDER_OPEN", message, { path: folder, fix: `chmod 0755 ${folder}` });
}

/** The containers' user alone may connect. */
function giveAway(socket: string): void {
  const { uid, gid } = runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  if (process.getuid?.() === 0) chownSync(socket, uid, gid);
}

function refusalOf(thrown: unknown): string {
  return thrown instanceof TrustKernError ? `${thrown.code}: ${thrown.message}` : messageOf(thrown);
}

/** @throws DOCKER_ENGINE_ONLY, CLI_USAGE where the decryption keys are on no token */
function tokenOf({ engine, custody }: Deployment, file: string | undefined) {
  if (engine !== "docker") {
    const message = `the deployment has the engine "${engine}"`;
    throw cliErrors.error("DOCKER_ENGINE_ONLY", message, { path: file });
  }
  if (custody.kind === "pkcs11") return custody;
  throw cliErrors.error("CLI_USAGE", `custody.kind is "${custody.kind}"; accepted: pkcs11`, {
    path: "custody.kind",
    fix: "run this where trustkern.yaml has the decryption keys on a token; no other kind needs a server",
  });
}
