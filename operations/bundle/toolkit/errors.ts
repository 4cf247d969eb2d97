import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of the toolkit in a bundle. */
export const toolkitErrors = catalogue({
  TOOLKIT_INCOMPLETE: {
    exit: EXIT.resource,
    summary: "The toolkit of a bundle cannot be made: something that it needs is not on this machine.",
    fix: "run `./trustkern images build` on this machine and mend what it says, then the same command again",
  },
  TOOLKIT_MALFORMED: {
    exit: EXIT.configuration,
    summary: "The bundle has no toolkit that this one can unpack.",
    fix: "use a bundle that `trustkern bundle create` made, and for one of another form `sh start.sh` that lies in it",
  },
  TOOLKIT_UNWRITABLE: {
    exit: EXIT.resource,
    summary:
      "The toolkit of a bundle cannot be written: the disk is full, the rights are missing, or the folder is in use.",
    fix: "free space or mend the rights, and name a folder that is not there yet or is empty",
  },
});
