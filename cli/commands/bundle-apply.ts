import { mkdtemp, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { applyDelta, type SignedHead } from "../../operations/bundle/delta/apply-delta.ts";
import { type Bundle, openBundle } from "../../operations/bundle/format/read.ts";
import { removePartials } from "../../operations/bundle/format/write.ts";
import { removeLeftBehind } from "../../operations/bundle/format/writing/left-behind.ts";
import { writeFault } from "../../operations/bundle/format/writing/write-faults.ts";
import { decideTrust, type TrustDecision } from "../../operations/bundle/trust/decide.ts";
import { EXIT } from "../../shared/errors.ts";
import { trustIn } from "../bundle-trust-in.ts";
import { bytesView } from "../bytes-view.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { needed } from "../needed.ts";

/**
 * `bundle apply DELTA --to OLD -o FULL`: the full bundle that a delta leads to, byte for byte, once the signatures on both were verified.
 */
export const run: Run = async (context) => {
  const { io, options, args } = context;
  const [name = ""] = args;
  const [base, output] = [needed(options.to, "--to"), needed(options.output, "--output")];
  const delta = await openBundle(resolve(io.cwd, name));
  try {
    const old = await openBundle(resolve(io.cwd, base));
    try {
      return await apply(context, { delta, old, out: resolve(io.cwd, output), output });
    } finally {
      await old.close();
    }
  } finally {
    await delta.close();
  }
};

/** What is worked on lies beside the output: on the disk that has to have room for it. */
async function apply(
  context: CommandContext,
  { delta, old, out, output }: { delta: Bundle; old: Bundle; out: string; output: string },
): Promise<0> {
  const { io, flags } = context;
  const { by, ...trust } = trustIn(context, delta);
  const decide = (head: SignedHead): TrustDecision => decideTrust({ ...head, ...trust, now: io.now() });
  const view = bytesView(context);
  const scratchDir = await scratchBeside(out);
  try {
    const { files, decision } = await applyDelta({ old, delta, decide, out, scratchDir, signal: io.cancelled, view });
    view.stop();
    const { manifest, statement, warnings } = decision;
    const { tenant, deployment, version } = statement.predicate;
    for (const { message } of warnings) io.stderr(`warning: ${message}\n`);
    if (flags.json) {
      printJson(io, { schema: "trustkern.bundle-apply/1", files, by, tenant, deployment, version, manifest, warnings });
    } else {
      io.stdout(`${output}: version ${version} of ${deployment}, tenant ${tenant}, signed by ${namesOf(decision)}\n`);
      io.stdout(`manifest ${manifest}\n`);
    }
    return EXIT.done;
  } finally {
    view.stop();
    await rm(scratchDir, { recursive: true, force: true });
  }
}

/** What was killed at the same output has left its own, which goes. @throws BUNDLE_NOT_WRITABLE, BUNDLE_DISK_FULL */
async function scratchBeside(out: string): Promise<string> {
  const prefix = `.${basename(out)}-`;
  try {
    await removePartials(out);
    await removeLeftBehind(dirname(out), prefix);
    return await mkdtemp(join(dirname(out), `${prefix}${process.pid}-`));
  } catch (thrown) {
    throw writeFault(thrown, out);
  }
}

function namesOf({ signers }: TrustDecision): string {
  return signers.map(({ name }) => name).join(", ");
}
