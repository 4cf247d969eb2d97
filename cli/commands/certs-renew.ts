import { setTimeout as sleep } from "node:timers/promises";
import { readCrl } from "../../certs/crl.ts";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
import { attributeOf } from "../../stacks/host/host-ledger.ts";
import { introduce } from "../../stacks/host/introduce.ts";
import { renewDue } from "../../stacks/host/renew.ts";
import { tellOfRevoked } from "../../stacks/host/revoked-gateways.ts";
import { printJson, type Run } from "../command.ts";
import { talk } from "../talk.ts";
import { certsSite, changing } from "./certs-context.ts";

/** How often a watching renewal looks, in milliseconds. */
const WATCH_MS = 60_000;

/** `certs renew [--watch]`: renews what is in the last third of its life. */
export const run: Run = async (context) => {
  const { io, flags, options } = context;
  const site = await certsSite(context);
  const say = talk(context);
  const once = async (isFirst: boolean): Promise<void> => {
    const before = new Set(site.pki.crls.own());
    const report = await changing(context, site, () => renewDue(site));
    const lists = site.pki.crls.own().filter((pem) => !before.has(pem));
    // Lists on this host are good for days: a backend that is away gets them the next time.
    const told = await site
      .operator()
      .then((operator) => introduce(site, operator))
      .then(
        (revoked) => {
          if (revoked.length > 0) say(tellOfRevoked(revoked));
          return true;
        },
        () => false,
      );
    if (!told) say("the backend does not answer: it gets revocation lists and gateways get tokens the next time");
    if (flags.json) printJson(io, { schema: "trustkern.certs-renew/1", ...report, lists: lists.length, told });
    else io.stdout(wordsOf(report.renewed, lists, isFirst));
  };
  await once(true);
  if (options.watch === true) say(`watching: looks every ${WATCH_MS / 1000} s, until Ctrl-C or SIGTERM`);
  while (options.watch === true && !io.cancelled.aborted) {
    await sleep(WATCH_MS, undefined, { signal: io.cancelled }).catch(() => undefined);
    if (io.cancelled.aborted) break;
    // What fails now is tried again: two thirds of a life leave days for it.
    await once(false).catch((thrown: unknown) => {
      if (!(thrown instanceof TrustKernError)) throw thrown;
      say(`${thrown.code}: ${thrown.message}`);
    });
  }
  return EXIT.done;
};

/** What one look did; a later one that did nothing says nothing. */
function wordsOf(renewed: readonly string[], lists: readonly string[], isFirst: boolean): string {
  const leaves = renewed.length === 0 ? "" : `renewed: ${renewed.join(", ")}\n`;
  const issuers = lists.map((pem) => attributeOf(readCrl(pem).issuer.replaceAll(", ", "\n"), "CN"));
  const made = issuers.length === 0 ? "" : `made anew: the lists of ${issuers.join(", ")}\n`;
  return leaves + made || (isFirst ? "nothing is due\n" : "");
}
