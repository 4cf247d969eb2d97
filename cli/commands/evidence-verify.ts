import type { KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { evidenceErrors } from "../../operations/evidence/errors.ts";
import { headline, lead, minute } from "../../operations/evidence/page/words.ts";
import { trustedKey } from "../../operations/evidence/verify/trusted-key.ts";
import { type EvidenceCheck, type EvidenceReport, verifyEvidence } from "../../operations/evidence/verify/verify.ts";
import pkg from "../../package.json" with { type: "json" };
import { parseDuration } from "../../shared/durations.ts";
import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { pinnedEvidenceKey } from "../../stacks/host/trust/evidence-key.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { evidenceNames } from "../evidence-files.ts";
import { readInput } from "../files.ts";
import type { Io } from "../io.ts";
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
 * Whose evidence it has to be: of `--deployment` and `--tenant`, else of the deployment of `-f` or of the folder, else of anybody.
 * @throws CLI_FILE, CONFIG_INVALID
 */
async function askedFor({ io, flags, options }: CommandContext): Promise<EvidenceCheck["of"]> {
  const said = (option: unknown): string | undefined => (typeof option === "string" ? option : undefined);
  const asked = { deployment: said(options.deployment), tenant: said(options.tenant) };
  if (asked.deployment !== undefined || asked.tenant !== undefined) return asked;
  const { file, deployment } = await locateDeployment(io, flags);
  return file === undefined ? undefined : { deployment: deployment.name, tenant: deployment.tenant };
}

/**
 * The key that is trusted: of `--key`, or that of `--fingerprint` in the `.pub` beside the file, or the one that the deployment has pinned.
 * @throws EVIDENCE_KEY_NEEDED, EVIDENCE_KEY_INVALID, EVIDENCE_OTHER_KEY, CLI_FILE
 */
async function keyFor({ io, flags, options }: CommandContext, name: string): Promise<KeyObject> {
  const fingerprint = typeof options.fingerprint === "string" ? options.fingerprint : undefined;
  if (typeof options.key === "string" || fingerprint !== undefined) {
    const path = typeof options.key === "string" ? options.key : keyBeside(io, name);
    return trustedKey(Buffer.from(await readInput(io, path)).toString("utf8"), path, fingerprint);
  }
  const { dir } = await locateDeployment(io, flags);
  const pinned = pinnedEvidenceKey({ dir });
  if (pinned !== undefined) return pinned;
  throw evidenceErrors.error("EVIDENCE_KEY_NEEDED", `no key is named, and no deployment in "${dir}" has one pinned`, {
    path: "--key",
  });
}

/** A fingerprint says which key is trusted, and not what it is. */
function keyBeside({ cwd }: Io, name: string): string {
  const { key } = evidenceNames(name);
  if (name !== "-" && existsSync(resolve(cwd, key))) return key;
  const place = name === "-" ? "standard input has no key beside it" : `the key is not beside it: there is no "${key}"`;
  throw evidenceErrors.error("EVIDENCE_KEY_NEEDED", `a fingerprint alone verifies nothing, and ${place}`, {
    path: "--fingerprint",
    fix: "name the public key that was written with the evidence with --key FILE, beside --fingerprint",
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
  const { deployment, tenant, profile, layers, results } = verification;
  const open = results.filter(({ outcome }) => outcome === "broken" || outcome === "not-proven");
  return {
    schema: "trustkern.evidence-verify/1",
    ...{ file, ok: findings.length === 0, verdict, deployment, tenant, profile, layers, issuedAt, fingerprint },
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
    `signed ${minute(issuedAt)} by ${fingerprint}; by its own word a key ${SIGNED_ON[signer.place]}`,
    `toolkit ${facts.versions.toolkit}, profile ${verification.profile}, region ${facts.hosting.region}, ${facts.images.length} images`,
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

const SIGNED_ON = {
  host: "on the host itself: whoever controls that can sign anything",
  "age-file": "in an age file that the operator named, outside of the state directory",
  "root-device": "on the device of the root's key",
} as const;

const PAGE_WORDS = {
  "as-signed": "is as it was signed",
  changed: "was CHANGED after it was signed",
  "not-here": "is not here, and was not looked at",
} as const;
