import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of the lists of parts in a bundle. */
export const sbomErrors = catalogue({
  SBOM_UNKNOWN_PARTS: {
    exit: EXIT.resource,
    summary: "What a program or an image is made of cannot be found out, and a list of parts would be incomplete.",
    fix: "put the `go` that built the programs in PATH, and run `./trustkern images build` so that the layers are those of this release",
  },
});
