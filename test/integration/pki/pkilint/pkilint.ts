import { join } from "node:path";
import { pythonWith } from "../../../support/python.ts";
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
  const python = await pythonWith("pkilint-0.13.3", REQUIREMENTS);
  const { code, stdout, stderr } = await runProgram(python, ["-I", PROGRAM], { input: JSON.stringify(documents) });
  if (code !== 0) throw new Error(`pkilint ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as readonly Finding[];
}

/** What the issue forbids: everything above a notice. */
export function aboveNotice(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => ["FATAL", "ERROR", "WARNING"].includes(severity));
}
