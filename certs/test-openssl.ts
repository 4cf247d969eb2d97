import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What OpenSSL is asked about, all PEM. */
export interface OpensslRequest {
  readonly certPem: string;
  readonly issuerPem: string;
  /** Trust anchors. */
  readonly rootPem: string;
  readonly at: Date;
  /** Revocation lists: with any, every issuer's is asked for. */
  readonly crls?: readonly string[];
  /** @default sslclient */
  readonly purpose?: "sslclient" | "sslserver";
}

/** What `openssl verify -x509_strict` says of a chain, for tests: "OK", or its words on what is wrong. */
export function opensslVerify({ certPem, issuerPem, rootPem, at, crls, purpose }: OpensslRequest): string {
  const folder = mkdtempSync(join(tmpdir(), "tk-verify-"));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  try {
    const time = String(Math.floor(at.getTime() / 1000));
    const args = ["verify", "-x509_strict", "-check_ss_sig", "-attime", time, "-purpose", purpose ?? "sslclient"];
    args.push("-CAfile", file("root.pem", rootPem), "-untrusted", file("issuer.pem", issuerPem));
    if (crls !== undefined) args.push("-crl_check_all", "-CRLfile", file("crls.pem", crls.join("")));
    const { status, stderr } = spawnSync("openssl", [...args, file("leaf.pem", certPem)], { encoding: "utf8" });
    return status === 0 ? "OK" : stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
