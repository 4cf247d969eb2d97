import { createPublicKey } from "node:crypto";
import { existsSync } from "node:fs";
import { signersErrors } from "../../certs/signers/errors.ts";
import { isAgeFile, makeBundleKey } from "../../operations/bundle/trust/signer-keys.ts";
import { EXIT } from "../../shared/errors.ts";
import { fingerprintOf } from "../../stacks/host/trust/fingerprint.ts";
import { several } from "../bundle-key-options.ts";
import { keyPlaces } from "../bundle-keys.ts";
import { printJson, type Run } from "../command.ts";
import { locateDeployment } from "../deployment-file.ts";
import { claimOutput } from "../files.ts";

/** `bundle trust key PLACE`: makes the key of somebody who signs, and writes its public half. */
export const run: Run = async ({ io, flags, options, args: [name = ""] }) => {
  const [place] = keyPlaces([name], several(options.passphraseFile), io.cwd);
  const output = typeof options.output === "string" ? options.output : `${name}.pub`;
  const { dir } = await locateDeployment(io, flags);
  if (options.dryRun === true) {
    if (flags.json) printJson(io, { schema: "trustkern.bundle-key/1", place: name, publicKey: output, made: false });
    else io.stdout(`would make a key in ${name}, and write its public key to ${output}\n`);
    return EXIT.done;
  }
  // Before its public key, which lies beside it as well: another name for that would not help.
  if (place !== undefined && isAgeFile(place.place) && existsSync(place.place)) {
    const fix = "name another file; to replace the signer, make a new root with `trustkern bundle trust rotate`";
    throw signersErrors.error("SIGNER_KEY_EXISTS", "the file is there already", { path: place.place, fix });
  }
  const file = claimOutput(io, output);
  try {
    const signer = await makeBundleKey(place ?? { place: name, passphraseFile: undefined }, dir);
    await signer.close();
    const key = createPublicKey({ key: signer.publicKeySpki, format: "der", type: "spki" });
    file.write(key.export({ format: "pem", type: "spki" }));
    const fingerprint = fingerprintOf(key);
    if (flags.json) {
      printJson(io, { schema: "trustkern.bundle-key/1", place: name, publicKey: output, fingerprint, made: true });
    } else io.stdout(`made: ${signer.where}\npublic key: ${output}\nfingerprint ${fingerprint}\n`);
  } finally {
    file.release();
  }
  return EXIT.done;
};
