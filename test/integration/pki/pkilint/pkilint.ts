import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { cachedFolder } from "../../../../operations/tools/cached-folder.ts";
import { defaultCacheDir } from "../../../../operations/tools/context.ts";
import { PROJECT } from "../../../support/deployment.ts";
import { runProgram } from "../../../support/run.ts";

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const PROGRAM = join(import.meta.dirname, "lint.py");

/** One certificate or revocation list, PEM. */
export interface Document {
  /** What it is, for the report. */
  readonly name: string;
  readonly kind: "certificate" | "CRL";
  readonly pem: string;
  /** Certificate of the issuer; a certificate is then held against it as well. */
  readonly issuer?: string;
}

/** What pkilint says of one document. */
export interface Finding {
  readonly name: string;
  readonly severity: "FATAL" | "ERROR" | "WARNING" | "NOTICE" | "INFO" | "DEBUG";
  /** Such as `pkix.ca_certificate_no_crl_sign_bit`. */
  readonly code: string;
  /** Where in the document. */
  readonly path: string;
  readonly message: string;
}

/** Every finding of pkilint for all documents, in one process. */
export async function pkilint(documents: readonly Document[]): Promise<readonly Finding[]> {
  const python = await environment();
  const { code, stdout, stderr } = await runProgram(python, ["-I", PROGRAM], { input: JSON.stringify(documents) });
  if (code !== 0) throw new Error(`pkilint ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as readonly Finding[];
}

/** What the issue forbids: everything above a notice. */
export function aboveNotice(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => ["FATAL", "ERROR", "WARNING"].includes(severity));
}

/** Python of a virtual environment in the cache that holds the pinned packages, made where it is not there. */
async function environment(): Promise<string> {
  const { stdout: version } = await runProgram("python3", ["-V"]);
  const hash = createHash("sha256").update(readFileSync(REQUIREMENTS)).update(version).digest("hex").slice(0, 12);
  const context = {
    cacheDir: defaultCacheDir(process.env, homedir()),
    toolsDir: join(PROJECT, "tools"),
    env: process.env,
    signal: AbortSignal.timeout(600_000),
    onProgress: (what: string) => process.stderr.write(`${what}\n`),
  };
  const folder = await cachedFolder(context, `pkilint-0.13.3-${hash}`, async (place) => {
    await must("python3", ["-m", "venv", place]);
    const pinned = ["--require-hashes", "--only-binary", ":all:", "-r", REQUIREMENTS];
    await must(join(place, "bin/python"), [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      ...pinned,
    ]);
  });
  return join(folder, "bin/python");
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args, { timeoutSeconds: 300 });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`);
}
