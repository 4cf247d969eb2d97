import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { evidenceErrors, evidenceRefusals } from "../../operations/evidence/errors.ts";
import { engineWords } from "../../operations/evidence/page/engine-words.ts";
import { headline, lead, minute, placeWords } from "../../operations/evidence/page/words.ts";
import { type EvidenceReport, verifyEvidence } from "../../operations/evidence/verify/verify.ts";
import pkg from "../../package.json" with { type: "json" };
import { parseDuration } from "../../shared/durations.ts";
import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { pinnedEvidenceKey } from "../../stacks/host/trust/evidence-key.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { askedFor } from "../asked-for.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { readInput } from "../files.ts";
import { namedKey } from "../named-key.ts";
import type { Paint } from "../paint.ts";
import { whatIsWrong } from "../what-is-wrong.ts";

const EXIT_OF = { proven: EXIT.done, broken: EXIT.policy, "not-proven": EXIT.failed } as const;

/** `evidence verify FILE`: whether evidence is what a trusted key signed, and what it says; needs no deployment and no network. */
export const run: Run = async (context) => {
  const { io, flags, options, args, paint } = context;
  const [name = ""] = args;
  const maxAge = options.maxAge;
  const maxAgeSeconds = typeof maxAge === "string" ? parseDuration(maxAge, "--max-age") : undefined;
  const file = await readInput(io, name);
  const key = await keyFor(context, name);
  const beside = dirname(resolve(io.cwd, name));
  const report = verifyEvidence({
    ...{ file, key, maxAgeSeconds, of: await askedFor(context) },
    at: io.now(),
    toolkit: pkg.version,
    pageOf: (page) => (name === "-" ? undefined : ifThere(join(beside, page))),
  });
  const fingerprint = fingerprintOf(key);
  if (flags.json) printJson(io, documentOf(name, fingerprint, report));
  else io.stdout(textOf(fingerprint, report, paint));
  return exitOf(report);
};

/**
 * The key that is trusted: of `--key`, or that of `--fingerprint` in the `.pub` beside the file, or the one that the deployment has pinned.
 * @throws EVIDENCE_KEY_NEEDED, EVIDENCE_KEY_INVALID, EVIDENCE_OTHER_KEY, CLI_FILE
 */
async function keyFor(context: CommandContext, name: string): Promise<KeyObject> {
  const named = await namedKey(context, name, evidenceRefusals);
  if (named !== undefined) return named;
  const { dir } = await locateDeployment(context.io, context.flags);
  const pinned = pinnedEvidenceKey({ dir });
  if (pinned !== undefined) return pinned;
  throw evidenceErrors.error("EVIDENCE_KEY_NEEDED", `no key is named, and no deployment in "${dir}" has one pinned`, {
    path: "--key",
  });
}

function ifThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function exitOf({ findings, statement }: EvidenceReport): ExitCode {
  const exits = findings.map(({ code }) => evidenceErrors.entries[code as keyof typeof evidenceErrors.entries].exit);
  if (exits.includes(EXIT.policy)) return EXIT.policy;
  return exits[0] ?? EXIT_OF[statement.predicate.verdict];
}

function documentOf(file: string, fingerprint: string, report: EvidenceReport): object {
  const { statement, pages, findings } = report;
  const { verdict, issuedAt, verification, facts, signer } = statement.predicate;
  const { deployment, tenant, profile, engine, layers, results } = verification;
  const open = results.filter(({ outcome }) => outcome === "broken" || outcome === "not-proven");
  return {
    schema: "trustkern.evidence-verify/1",
    ...{ file, ok: findings.length === 0, verdict, deployment, tenant, profile, engine, layers, issuedAt, fingerprint },
    signedOn: signer.place,
    toolkit: facts.versions.toolkit,
    open: open.map(({ id, outcome }) => ({ id, outcome })),
    pages,
    findings,
  };
}

function textOf(fingerprint: string, { statement, pages, findings }: EvidenceReport, paint: Paint): string {
  const { predicate } = statement;
  const { verdict, issuedAt, signer, facts, verification } = predicate;
  const open = verification.results.filter(({ outcome }) => outcome === "broken" || outcome === "not-proven");
  const colour = verdict === "proven" ? "green" : verdict === "broken" ? "red" : "yellow";
  const lines = [
    paint(findings.length > 0 ? "yellow" : colour, headline(predicate)),
    lead(predicate),
    `signed ${minute(issuedAt)} by ${fingerprint}; by its own word a key ${placeWords(signer.place, engineWords(facts).keyHere)}`,
    `toolkit ${facts.versions.toolkit}, profile ${verification.profile}, engine ${verification.engine}, region ${facts.hosting.region}, ${facts.images.length} images`,
    ...open.map(
      (result) =>
        `  ${paint(result.outcome === "broken" ? "red" : "yellow", result.outcome.padEnd(10))}  ${result.id}: ${whatIsWrong(result)}`,
    ),
    ...pages.map(({ name, state }) => `${name} ${PAGE_WORDS[state]}`),
    ...findings.map(({ code, path, message }) => `${paint("red", code)} ${path} ${message}`),
    findings.length === 0 ? "the evidence is what that key signed" : paint("red", "do not rely on this evidence"),
  ];
  return `${lines.join("\n")}\n`;
}

const PAGE_WORDS = {
  "as-signed": "is as it was signed",
  changed: "was CHANGED after it was signed",
  "not-here": "is not here, and was not looked at",
} as const;
