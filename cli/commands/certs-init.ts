import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { renderTranscript } from "../../certs/ceremony/render-transcript.ts";
import { EXIT } from "../../shared/errors.ts";
import { makeByCeremony } from "../../stacks/host/ceremony.ts";
import { claimDirs } from "../../stacks/host/claim.ts";
import { logEvent } from "../../stacks/host/event-log.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { takeLock } from "../../stacks/host/lock.ts";
import { servicesNamespace } from "../../stacks/host/services-namespace.ts";
import { namesIn, VERSIONS } from "../ceremony-options.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { needed } from "../needed.ts";

/** `certs init`: the key ceremony of a deployment that has no authorities yet. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const { deployment, dir } = await locateDeployment(io, flags);
  const layout = layoutOf(dir, tmpdir());
  const rootFile = rootFileOf(context, deployment.pki.root.kind === "age");
  claimDirs(layout);
  const unlock = takeLock(layout.lockFile, process.pid);
  try {
    const transcript = await makeByCeremony({
      layout,
      deployment,
      namespace: servicesNamespace(deployment),
      clock: io.now,
      rootFile,
      makers: namesIn(options.makers),
      conductor: typeof options.conductor === "string" ? options.conductor : io.user(),
      witnesses: namesIn(options.witnesses),
      versions: VERSIONS,
      acceptP256Root: options.acceptP256Root === true,
      onEvent: (event) => logEvent(layout, event),
    });
    if (flags.json) printJson(io, { ...transcript });
    else {
      io.stdout(renderTranscript(transcript));
      io.stderr(`${farewell(layout.authoritiesDir, rootFile?.file, deployment.engine)}\n`);
    }
    return EXIT.done;
  } finally {
    unlock();
  }
};

/** What is where, and what comes next. */
function farewell(authoritiesDir: string, rootFile: string | undefined, engine: string): string {
  const root =
    rootFile === undefined
      ? "the root's key is on its device, and root.key.json there says which"
      : `the root's key is in ${rootFile}: take its medium away`;
  const deploy = engine === "embedded" ? "trustkern up" : "trustkern deploy";
  return [
    `written: certificates, issuing keys or where they are, lists, the ledger, and the transcript (transcript.jws): ${authoritiesDir}`,
    root,
    `next: trustkern certs transcript verify, then ${deploy} with this state directory`,
  ].join("\n");
}

function rootFileOf({ io, options }: CommandContext, isAge: boolean) {
  if (!isAge) return undefined;
  const why = "pki.root.kind is age, and the root's key goes into a file on a medium of its own";
  const file = resolve(io.cwd, needed(options.rootKey, "--root-key", why));
  const passphraseFile = resolve(io.cwd, needed(options.passphraseFile, "--passphrase-file", why));
  return { file, passphraseFile };
}
