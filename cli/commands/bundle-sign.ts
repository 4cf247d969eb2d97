import { resolve } from "node:path";
import { type Bundle, openBundle } from "../../operations/bundle/format/read.ts";
import { replaceSlot } from "../../operations/bundle/format/write.ts";
import { assertSubjects, knownSigners } from "../../operations/bundle/trust/decide.ts";
import type { SignedRoot } from "../../operations/bundle/trust/root.ts";
import { followRoots } from "../../operations/bundle/trust/root-chain.ts";
import { planSigning, type SigningJob, signBundle } from "../../operations/bundle/trust/sign-bundle.ts";
import { parseSlot, type Signatures } from "../../operations/bundle/trust/slot.ts";
import { statementOf } from "../../operations/bundle/trust/statement.ts";
import { bundleFolder, newestRoot, readVendorRoots } from "../../operations/bundle/trust/vendor-roots.ts";
import { parseDuration } from "../../shared/durations.ts";
import { EXIT } from "../../shared/errors.ts";
import { openBundleKeys } from "../bundle-keys.ts";
import { namedRoot } from "../bundle-trust-options.ts";
import { bytesView } from "../bytes-view.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { needed } from "../needed.ts";

/** `bundle sign FILE`: one more signature on a bundle, or a new statement where its root of trust is no longer the newest. */
export const run: Run = async (context) => {
  const { io, flags, options, args } = context;
  const [name = ""] = args;
  const { dir } = await locateDeployment(io, flags);
  const bundle = await openBundle(resolve(io.cwd, name));
  const view = bytesView(context);
  try {
    const job = jobOf(context, bundle, dir);
    // Nobody signs for what he has not read.
    view.begin("verifying");
    await bundle.verifyBytes({ signal: io.cancelled, onProgress: view.onBytes });
    view.stop();
    if (options.dryRun === true) {
      const { statement, reused } = planSigning(job);
      const { version } = statement.predicate;
      if (flags.json) printJson(io, { schema: "trustkern.bundle-sign/1", file: name, dryRun: true, version, reused });
      else io.stdout(`would sign version ${version}${reused ? ", which is there already" : ", a new one"}\n`);
      return EXIT.done;
    }
    needed(options.key, "--key");
    await using keys = await openBundleKeys(context, dir);
    const { slot, statement, reused, signers, threshold } = await signBundle(job, keys.signers);
    await replaceSlot(bundle.files, slot);
    const { version } = statement.predicate;
    if (flags.json) {
      printJson(io, {
        schema: "trustkern.bundle-sign/1",
        file: name,
        dryRun: false,
        version,
        reused,
        signers,
        threshold,
      });
    } else {
      const missing = threshold - signers.length;
      const lines = [
        `version ${version} of ${statement.predicate.deployment}, until ${statement.predicate.warnAfter}`,
        ...signers.map((each) => `signed by ${each.name}, ${each.fingerprint}`),
        missing > 0 ? `does not count yet: ${missing} more of the signers` : `it counts: ${threshold} needed`,
      ];
      io.stdout(`${lines.join("\n")}\n`);
    }
    return EXIT.done;
  } finally {
    view.stop();
    await bundle.close();
  }
};

/**
 * By whose roots, and on which statement: with `--root`, the roots of the bundle that follow from it, for a person who is not where
 * the roots are kept; else those of the state directory.
 */
function jobOf(context: CommandContext, bundle: Bundle, dir: string): SigningJob {
  const { io, options } = context;
  const had = parseSlot(bundle.slot);
  // Else the other signatures would be lost, and the bundle get a version that nobody asked for.
  assertSubjects(bundle, statementOf(had.statement));
  const folder = bundleFolder(dir);
  const roots = rootsFor(context, had, folder);
  const root = roots.at(-1);
  const { warnAfter } = options;
  const { manifest, manifestBytes, sums } = bundle;
  return {
    ...{ manifest, manifestBytes, sums, roots, folder, now: io.now() },
    warnAfterSeconds: typeof warnAfter === "string" ? parseDuration(warnAfter, "--warn-after") : undefined,
    existing: root !== undefined && isUnder(had, root) ? had.statement : undefined,
  };
}

function rootsFor(context: CommandContext, { roots }: Signatures, folder: string): readonly SignedRoot[] {
  const named = namedRoot(context);
  if (named !== undefined) {
    const following = followRoots(named, roots);
    const upToNamed = roots.filter(({ root }) => root.version <= named.root.version);
    return [...(upToNamed.length > 0 ? upToNamed : [named]), ...following];
  }
  const vendor = readVendorRoots(folder);
  newestRoot(vendor, folder);
  return vendor.roots;
}

/** Whether the statement that is there is one of signers of this root; then it stays, and gets one signature more. */
function isUnder({ statement, roots }: Signatures, root: SignedRoot): boolean {
  if (roots.at(-1)?.fingerprint !== root.fingerprint) return false;
  knownSigners(statement, root);
  return true;
}
