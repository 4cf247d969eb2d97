import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
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
  const once = async (): Promise<void> => {
    const report = await changing(context, site, () => renewDue(site));
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
    if (flags.json) printJson(io, { schema: "trustkern.certs-renew/1", ...report, told });
    else if (report.renewed.length > 0) io.stdout(`renewed: ${report.renewed.join(", ")}\n`);
    else if (options.watch !== true) io.stdout("nothing is due\n");
  };
  await once();
  while (options.watch === true && !io.cancelled.aborted) {
    await sleep(WATCH_MS, undefined, { signal: io.cancelled }).catch(() => undefined);
    if (io.cancelled.aborted) break;
    // What fails now is tried again: two thirds of a life leave days for it.
    await once().catch((thrown: unknown) => {
      if (!(thrown instanceof TrustKernError)) throw thrown;
      say(`${thrown.code}: ${thrown.message}`);
    });
  }
  return EXIT.done;
};
