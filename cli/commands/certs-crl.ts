import { readCrl } from "../../certs/crl.ts";
import { EXIT } from "../../shared/errors.ts";
import { tellBackend } from "../../stacks/host/renew.ts";
import { printJson, type Run } from "../command.ts";
import { writeOutput } from "../files.ts";
import { certsSite, changing } from "./certs-context.ts";

/** `certs crl`: the revocation lists of this host, made anew where they are due. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const site = await certsSite(context);
  await changing(context, site, async () => {
    await site.pki.converge();
    site.handOver();
  });
  if (options.publish === true) await tellBackend(site, await site.operator());
  const pems = site.pki.crls.own();
  const lists = pems.map((pem) => {
    const { issuer, number, nextUpdate, revoked } = readCrl(pem);
    return { issuer, number: String(number), nextUpdate: nextUpdate.toISOString(), revoked: revoked.length };
  });
  if (flags.json) printJson(io, { schema: "trustkern.certs-crl/1", lists });
  else if (typeof options.output === "string") writeOutput(io, options.output, pems.join(""));
  else {
    const lines = lists.map(
      ({ issuer, number, nextUpdate, revoked }) =>
        `${issuer.padEnd(40)} number ${number.padEnd(5)} ${String(revoked).padStart(4)} revoked  until ${nextUpdate}\n`,
    );
    io.stdout(lines.join(""));
  }
  return EXIT.done;
};
