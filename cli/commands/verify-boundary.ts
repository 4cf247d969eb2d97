import { verifyBoundary } from "../../operations/verify/boundary.ts";
import { verdictOf } from "../../operations/verify/result.ts";
import { EXIT } from "../../shared/errors.ts";
import { boundarySubject } from "../boundary-subject.ts";
import { printJson, type Run } from "../command.ts";
import { layersOption } from "../layers-option.ts";
import { talk } from "../talk.ts";
import { verificationText } from "../verification-view.ts";

const EXIT_OF = { proven: EXIT.done, broken: EXIT.policy, "not-proven": EXIT.failed } as const;
const COLUMNS = 100;

/** `verify boundary`: every check of the layers in one table, what is broken with its fix, and a verdict. */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const layers = layersOption(options.layers);
  const subject = await boundarySubject(context);
  const say = talk(context);
  const onLayer = (layer: string): void => say(`looking at the layer ${layer}`);
  const verification = await verifyBoundary({ ...subject, layers, clock: io.now, onLayer });
  if (flags.json) printJson(io, verification);
  else io.stdout(verificationText(verification, paint, process.stdout.columns ?? COLUMNS));
  return EXIT_OF[verdictOf(verification)];
};
