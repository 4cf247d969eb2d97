import { imagesErrors } from "../errors.ts";

/** Stands for `bundle.ts` in the toolkit of a bundle: there are no sources that a module could be made from. */
export async function bundled(_: string, entry: string): Promise<never> {
  throw imagesErrors.error(
    "IMAGES_BUNDLE_FAILED",
    `${entry} is not in the toolkit of a bundle: make it in a clone of the project`,
    {
      path: entry,
    },
  );
}

/** As {@link bundled}. */
export const bundle: typeof bundled = bundled;
