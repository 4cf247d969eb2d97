import { EXIT } from "../../shared/errors.ts";
import { addMakerAt } from "../../stacks/host/add-maker.ts";
import { introduce } from "../../stacks/host/introduce.ts";
import { namedCeremony } from "../ceremony-options.ts";
import { printJson, type Run } from "../command.ts";
import { talk } from "../talk.ts";
import { certsSite, changing } from "./certs-context.ts";

/** `certs maker add MAKER`: has the root sign an authority for the devices of one more maker. */
export const run: Run = async (context) => {
  const { io, flags, args, paint } = context;
  const [maker = ""] = args;
  const site = await certsSite(context);
  const made = await changing(context, site, () => addMakerAt(site, maker, namedCeremony(context)));
  const told = await site
    .operator()
    .then((operator) => introduce(site, operator))
    .then(
      () => true,
      () => false,
    );
  if (!told) talk(context)("the backend does not answer: it gets the maker's revocation list the next time");
  if (flags.json) printJson(io, { schema: "trustkern.certs-maker/1", maker, ...made, told });
  else {
    io.stdout(`${paint("green", "made")} the authority of ${maker}: ${made.file}\n  certificate ${made.sha256}\n`);
    io.stdout(`its record files are accepted after trustkern device maker add ${maker} --certificate ${made.file}\n`);
  }
  return EXIT.done;
};
