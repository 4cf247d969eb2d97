import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../support/run.ts";
import { splitPem } from "./forge.ts";

/** What a chain is held against. */
export interface VerdictOptions {
  readonly rootPem: string;
  /** Certificates between leaf and root. @default what stands behind the first */
  readonly untrustedPem?: string;
  /** Revocation lists of every issuer in the chain; without them revocation is not looked at. */
  readonly crls?: readonly string[];
  /** @default any */
  readonly purpose?: "sslclient" | "sslserver" | "any";
}

/** What `openssl verify -x509_strict` says of the first certificate of a PEM: "OK", or its words on what is wrong. */
export async function verdict(chainPem: string, options: VerdictOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tk-verdict-"));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const [leaf = "", ...rest] = splitPem(chainPem);
  const { rootPem, untrustedPem = rest.join(""), crls = [], purpose = "any" } = options;
  const args = ["verify", "-x509_strict", "-check_ss_sig", "-auth_level", "2", "-purpose", purpose];
  args.push("-CAfile", file("root.pem", rootPem));
  if (untrustedPem !== "") args.push("-untrusted", file("untrusted.pem", untrustedPem));
  if (crls.length > 0) args.push("-crl_check_all", "-CRLfile", file("crls.pem", crls.join("")));
  const { code, stdout, stderr } = await runProgram("openssl", [...args, file("leaf.pem", leaf)]);
  rmSync(folder, { recursive: true });
  return code === 0 && stdout.endsWith(": OK\n") ? "OK" : stderr;
}
