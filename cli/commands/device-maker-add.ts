import { EXIT } from "../../shared/errors.ts";
import type { Run } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { readInput } from "../files.ts";
import { askBackend, printChange } from "./gateway-backend.ts";

/** `device maker add MAKER`: the key that signs the maker's record files, as a point or by the certificate of its authority. */
export const run: Run = async (context) => {
  const [maker = ""] = context.args;
  const { key, certificate } = context.options;
  if (typeof key !== "string" && typeof certificate !== "string")
    throw cliErrors.error("CLI_USAGE", "neither --key nor --certificate is given", {
      path: "--key",
      fix: "name --key with the P-256 point in hex, or --certificate with the file of the maker's authority",
    });
  const pem =
    typeof certificate === "string"
      ? Buffer.from(await readInput(context.io, certificate)).toString("utf8")
      : undefined;
  const body = {
    ...(typeof key === "string" && { public_key: key.toLowerCase() }),
    ...(pem !== undefined && { certificate_pem: pem }),
  };
  const answer = await askBackend<object>(context, "PUT", `/v1/makers/${encodeURIComponent(maker)}`, body);
  printChange(context, "trustkern.device-maker/1", answer, `maker ${maker} is registered`);
  return EXIT.done;
};
