import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { renderPkcs12 } from "../../certs/pkcs12.ts";
import { readPassphrase } from "../../custody/passphrase.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { readInput, writeSecret } from "../files.ts";
import { needed } from "../needed.ts";

const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/;

/** `certs export FILE`: a certificate and its key as PKCS #12. */
export const run: Run = async ({ io, flags, options, args }) => {
  const output = needed(options.output, "-o");
  const passphraseFile = needed(options.passphraseFile, "--passphrase-file");
  const text = Buffer.from(await readInput(io, args[0] ?? "")).toString("utf8");
  const keyPem = PRIVATE_KEY.exec(text)?.[0];
  if (keyPem === undefined) {
    throw cliErrors.error("CLI_NO_KEY", `there is no private key in "${args[0]}"`, { path: args[0] });
  }
  const der = renderPkcs12({
    certPem: text,
    keyPem,
    passphrase: readPassphrase(resolve(io.cwd, passphraseFile)),
    friendlyName: friendlyName(text),
    legacy: options.legacy === true,
  });
  writeSecret(io, output, der);
  if (flags.json) printJson(io, { schema: "trustkern.certs-export/1", file: output, bytes: der.length });
  else io.stdout(`${output}\n`);
  return EXIT.done;
};

function friendlyName(text: string): string {
  try {
    return /^CN=(.*)$/m.exec(new X509Certificate(text).subject)?.[1] ?? "TrustKern";
  } catch {
    return "TrustKern";
  }
}
