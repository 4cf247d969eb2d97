import { resolve } from "node:path";
import { type Bundle, openBundle } from "../../operations/bundle/format/read.ts";
import { decideTrust, type TrustDecision } from "../../operations/bundle/trust/decide.ts";
import { EXIT } from "../../shared/errors.ts";
import { sizeText } from "../../shared/size-text.ts";
import { trustIn } from "../bundle-trust-in.ts";
import { bytesView } from "../bytes-view.ts";
import { printJson, type Run } from "../command.ts";

/** `bundle verify FILE`: whether a bundle counts here, and whether every byte of it is what was signed. Touches nothing. */
export const run: Run = async (context) => {
  const { io, flags, args } = context;
  const [name = ""] = args;
  const bundle = await openBundle(resolve(io.cwd, name));
  const view = bytesView(context);
  try {
    const { by, ...trust } = trustIn(context, bundle);
    const decision = decideTrust({ ...bundle, ...trust, now: io.now() });
    view.begin("verifying");
    await bundle.verifyBytes({ signal: io.cancelled, onProgress: view.onBytes });
    view.stop();
    for (const { message } of decision.warnings) io.stderr(`warning: ${message}\n`);
    if (flags.json) printJson(io, documentOf(name, by, bundle, decision));
    else io.stdout(textOf(by, bundle, decision));
    return EXIT.done;
  } finally {
    view.stop();
    await bundle.close();
  }
};

function documentOf(file: string, by: string, { bytes, files }: Bundle, decision: TrustDecision): object {
  const { statement, manifest, signers, threshold, root, roots, warnings } = decision;
  const { schema: _, ...facts } = statement.predicate;
  return {
    schema: "trustkern.bundle-verify/1",
    ...{ file, ok: true, bytes, parts: files.length, by, ...facts, manifest, signers, threshold },
    root: { version: root.root.version, fingerprint: root.fingerprint },
    newRoots: roots.map((each) => ({ version: each.root.version, fingerprint: each.fingerprint })),
    warnings,
  };
}

function textOf(
  by: string,
  { bytes }: Bundle,
  { statement, manifest, signers, threshold, roots }: TrustDecision,
): string {
  const { tenant, deployment, version, created, warnAfter, base } = statement.predicate;
  const newest = roots.at(-1);
  const lines = [
    `version ${version} of ${deployment}, tenant ${tenant}${base === undefined ? "" : `, changes to ${base}`}`,
    `manifest ${manifest}`,
    `made ${created}; from ${warnAfter} on there should be a newer one`,
    ...signers.map(({ name, fingerprint }) => `signed by ${name}, ${fingerprint}`),
    `${signers.length} signed, ${threshold} needed, by ${by}`,
    ...(newest === undefined
      ? []
      : [`brings root ${newest.root.version}, ${newest.fingerprint}, which follows from the one here`]),
    `every one of ${sizeText(bytes)} is what was signed`,
  ];
  return `${lines.join("\n")}\n`;
}
