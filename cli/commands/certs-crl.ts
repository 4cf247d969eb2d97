import { readCrl } from "../../certs/crl.ts";
import { EXIT } from "../../shared/errors.ts";
import { onlineClasses } from "../../stacks/host/host-pki.ts";
import { tellBackend } from "../../stacks/host/renew.ts";
import { printJson, type Run } from "../command.ts";
import { claimOutput } from "../files.ts";
import { talk } from "../talk.ts";
import { certsSite, changing } from "./certs-context.ts";
import { type MissingList, onlineLists } from "./online-lists.ts";

/**
 * `certs crl`: the revocation lists of this host, made anew where they are due, and those of authorities that run, as the backend has
 * them. A file that lacks one of these is written, and the command fails.
 */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const site = await certsSite(context);
  const file = typeof options.output === "string" ? claimOutput(io, options.output) : undefined;
  try {
    await changing(context, site, async () => {
      await site.pki.converge();
      await site.handOver();
    });
    if (options.publish === true) await tellBackend(site, await site.operator());
    const own = site.pki.crls.own();
    const { pems, missing } = await onlineLists(site, onlineClasses(site.model));
    const lists = [...own.map(described("host")), ...pems.map(described("online"))];
    file?.write([...own, ...pems].join(""));
    if (flags.json) printJson(io, { schema: "trustkern.certs-crl/1", lists, missing });
    else if (file === undefined) io.stdout([...lists.map(line), ...missing.map(missingLine)].join(""));
    else io.stdout(`${file.name}: ${lists.length} revocation lists\n`);
    if (file === undefined || missing.length === 0) return EXIT.done;
    for (const { issuer, url, why } of missing)
      talk(context)(`${file.name} lacks the list of ${issuer} (${url}): ${why}`);
    return EXIT.failed;
  } finally {
    file?.release();
  }
};

interface Listed {
  readonly issuer: string;
  readonly number: string;
  /** RFC 3339. */
  readonly nextUpdate: string;
  /** How many certificates it names. */
  readonly revoked: number;
  /** Who makes it: this host, or an authority that runs. */
  readonly by: "host" | "online";
}

function described(by: Listed["by"]): (pem: string) => Listed {
  return (pem) => {
    const { issuer, number, nextUpdate, revoked } = readCrl(pem);
    return { issuer, number: String(number), nextUpdate: nextUpdate.toISOString(), revoked: revoked.length, by };
  };
}

function line({ issuer, number, nextUpdate, revoked, by }: Listed): string {
  const who = by === "online" ? "  by step-ca" : "";
  return `${issuer.padEnd(40)} number ${number.padEnd(5)} ${String(revoked).padStart(4)} revoked  until ${nextUpdate}${who}\n`;
}

function missingLine({ issuer, url, why }: MissingList): string {
  return `${issuer.padEnd(40)} by step-ca, at ${url}; not here: ${why}\n`;
}
